package observe

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/deploy/lab/cache"
	"github.com/tailspan/tailspan/deploy/lab/child"
	"github.com/tailspan/tailspan/deploy/lab/repo"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/spans"
)

// traceQL are the queries of deploy/tempo/README.md.
func traceQL(t *testing.T) (all []string) {
	t.Helper()
	code := false
	for line := range strings.Lines(read(t, deployed(t, "tempo", "README.md"))) {
		line = strings.TrimSpace(line)
		if line == "```" {
			code = !code
		} else if code {
			all = append(all, line)
		}
	}
	if len(all) < 10 {
		t.Fatalf("%d queries", len(all))
	}
	return all
}

// TestTraceQLGrammar has them parsed by the grammar of Grafana's editor.
func TestTraceQLGrammar(t *testing.T) {
	dir := grammar(t)
	queries := traceQL(t)
	bad := []string{`{ span.a = }`, `{ span:duration > 65 parsecs }`, `{ link:traceID "x" }`, `{ span.a = 1 } | rate() by span.b`}
	for i, at := range parseTraceQL(t, dir, slices.Concat(queries, bad)) {
		switch {
		case i < len(queries) && len(at) > 0:
			t.Errorf("%s: wrong at %v", queries[i], at)
		case i >= len(queries) && len(at) == 0:
			t.Errorf("%s was taken", bad[i-len(queries)])
		}
	}
}

// grammar is the directory of the parser: it is got once, by npm, of the versions
// and checksums in traceql/package-lock.json.
func grammar(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed: the queries' grammar is not checked", tool)
		}
	}
	root, err := cache.Dir()
	if err != nil {
		t.Fatal(err)
	}
	lock := read(t, filepath.Join("traceql", "package-lock.json"))
	script := read(t, filepath.Join("traceql", "check.mjs"))
	dir := filepath.Join(root, fmt.Sprintf("traceql-%.8x", sha256.Sum256([]byte(lock+script))))
	err = cache.Once(dir, func(part string) error {
		if err := os.CopyFS(part, os.DirFS("traceql")); err != nil {
			return err
		}
		cmd := child.Guard(exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"))
		cmd.Dir = part
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("npm ci: %w: %s", err, out)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func parseTraceQL(t *testing.T, dir string, queries []string) (at [][]int) {
	t.Helper()
	in, err := json.Marshal(queries)
	if err != nil {
		t.Fatal(err)
	}
	cmd := child.Guard(exec.CommandContext(t.Context(), "node", "check.mjs"))
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(in)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &at); err != nil || len(at) != len(queries) {
		t.Fatalf("%d answers: %v", len(at), err)
	}
	return at
}

// notRecorded are attributes that the recording has none of, and why.
var notRecorded = map[string]string{
	spans.KeyFollower: "its broker is alone",
}

var (
	attributeIn = regexp.MustCompile(`\b(?:span|link)\.([a-z0-9_.]+)(?: *[=>] *("|\d))?`)
	nameIn      = regexp.MustCompile(`span:name = "([^"]+)"`)
)

// TestTraceQLNames: what the queries name is what Tailspan writes, of the type that
// they compare it with.
func TestTraceQLNames(t *testing.T) {
	types := recordedTypes(t)
	names := constants(t, "Name")
	for _, q := range traceQL(t) {
		for _, m := range nameIn.FindAllStringSubmatch(q, -1) {
			if !slices.Contains(names, m[1]) {
				t.Errorf("%s: no span is called %s", q, m[1])
			}
		}
		for _, m := range attributeIn.FindAllStringSubmatch(q, -1) {
			kinds := types[m[1]]
			switch {
			case !slices.Contains(constants(t, "Key"), m[1]):
				t.Errorf("%s: there is no attribute %s", q, m[1])
			case len(kinds) == 0 && notRecorded[m[1]] == "":
				t.Errorf("%s: the recording has no %s", q, m[1])
			case len(kinds) > 0 && m[2] == `"` && !kinds[attribute.STRING] && !kinds[attribute.STRINGSLICE]:
				t.Errorf("%s: %s is no text", q, m[1])
			case len(kinds) > 0 && m[2] != "" && m[2] != `"` && !kinds[attribute.INT64]:
				t.Errorf("%s: %s is no number", q, m[1])
			}
		}
	}
}

// recordedTypes are those of the attributes of the recording's spans and links.
func recordedTypes(t *testing.T) map[string]map[attribute.Type]bool {
	t.Helper()
	bin, err := repo.Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]map[attribute.Type]bool{}
	note := func(all []attribute.KeyValue) {
		for _, a := range all {
			key := string(a.Key)
			if types[key] == nil {
				types[key] = map[attribute.Type]bool{}
			}
			types[key][a.Value.Type()] = true
		}
	}
	line := func(b []byte) error {
		tr, err := tailspan.ParseTrace(b)
		if err != nil {
			return err
		}
		for i := range tr.Spans {
			note(tr.Spans[i].Attributes)
			for _, l := range tr.Spans[i].Links {
				note(l.Attributes)
			}
		}
		return nil
	}
	r, err := tailspan.Start(bin, filepath.Join(t.TempDir(), "replay.log"), []string{"OTEL_TRACES_EXPORTER=none"}, line,
		"replay", "--slo", "0", "--print", "traces", "--format", "jsonl", recording(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	return types
}

// constants are the values of those of package spans that begin with a word.
func constants(t *testing.T, prefix string) (values []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), deployed(t, "..", "spans", "attributes.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, prefix) {
			return true
		}
		if lit, ok := spec.Values[0].(*ast.BasicLit); ok {
			text, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			values = append(values, text)
		}
		return true
	})
	return values
}
