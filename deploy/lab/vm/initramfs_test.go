package vm

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/cavaliergopher/cpio"

	"github.com/tailspan/tailspan/deploy/lab/vm/plan"
)

func TestInitramfs(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(os.MkdirAll(filepath.Join(dir, "sub"), 0o755),
		os.WriteFile(filepath.Join(dir, "sub", "program"), []byte("p"), 0o755),
		os.Symlink("sub/program", filepath.Join(dir, "link"))); err != nil {
		t.Fatal(err)
	}
	want := plan.Plan{Modules: []string{"/modules/a.ko"}, Commands: []plan.Command{{Args: []string{"/x"}}}}
	var image bytes.Buffer
	if err := writeInitramfs(&image, map[string]string{"/home/here": dir}, want); err != nil {
		t.Fatal(err)
	}
	content, before := map[string]string{}, map[string]bool{"": true}
	for r := cpio.NewReader(&image); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if parent := filepath.Dir(h.Name); parent != "." && !before[parent] {
			t.Errorf("%s comes before its directory", h.Name)
		}
		before[h.Name] = true
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		content[h.Name] = string(b)
	}
	for _, name := range []string{"home/here/sub/program", "home/here/link"} {
		if content[name] != "p" {
			t.Errorf("%s holds %q", name, content[name])
		}
	}
	var got plan.Plan
	if err := json.Unmarshal([]byte(content[plan.File[1:]]), &got); err != nil || len(got.Commands) != 1 || got.Modules[0] != want.Modules[0] {
		t.Errorf("plan %+v, %v", got, err)
	}
}
