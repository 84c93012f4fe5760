package rights

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/deploy/lab/repo"
	"github.com/tailspan/tailspan/sidecar/rights"
)

var update = flag.Bool("update", false, "put the table into the README")

// lost names the spans of all that were to be had that a trace will not show,
// or not whole.
func lost(r, all report) string {
	had := map[string]bool{}
	for _, c := range all.Brokers[0].Spans {
		had[c.Name] = c.State == ok
	}
	var gone, less, left []string
	for _, c := range r.Brokers[0].Spans {
		switch name := "`" + c.Name + "`"; {
		case !had[c.Name]:
		case c.State == missing:
			gone = append(gone, name)
		case c.State == degraded:
			less = append(less, name)
		case c.State == ok:
			left = append(left, name)
		}
	}
	var said []string
	switch {
	case len(gone) > len(left)+len(less) && len(left) > 0:
		said = append(said, "all but "+strings.Join(append(left, less...), ", "))
	case len(gone) > 0:
		said = append(said, strings.Join(gone, ", "))
	}
	if len(less) > 0 {
		said = append(said, "in part "+strings.Join(less, ", "))
	}
	return cmp.Or(strings.Join(said, "; "), "nothing")
}

// table is the README's.
func table(rows map[string][2]string) string {
	var b strings.Builder
	b.WriteString("| capability | it is there to | without it is lost | afterwards |\n|---|---|---|---|\n")
	for _, c := range rights.All {
		row, tried := rows[c.Name]
		if !tried {
			continue
		}
		cell := row[0]
		if row[1] != row[0] {
			cell += "; as root " + row[1]
		}
		kept := "given up"
		switch one := rights.Of(c.Number); {
		case rights.Attach.Has(one):
			kept = "kept"
		case rights.Load.Has(one):
			kept = "given up if uprobes attach without it"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", c.Name, c.Use, cell, kept)
	}
	return b.String()
}

// made says of the README's table on which kernel it was made; the table
// follows.
var made = regexp.MustCompile(`(?m)^\(Linux (\d+\.\d+), .make rights.\)\n\n((?:\|.*\n)+)`)

// holdReadme holds the README's table to this one, if it was made on such a
// kernel.
func holdReadme(t *testing.T, want string) {
	t.Helper()
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(root, "README.md")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	at := made.FindStringSubmatchIndex(text)
	if at == nil {
		t.Fatalf("README has no table made by make rights; it would be\n%s", want)
	}
	kernel := release(t)
	if *update {
		text = text[:at[2]] + kernel + text[at[3]:at[4]] + want + text[at[5]:]
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if of := text[at[2]:at[3]]; of != kernel {
		t.Logf("README's table is of Linux %s, not of %s:\n%s", of, kernel, want)
	} else if got := text[at[4]:at[5]]; got != want {
		t.Errorf("README (make rights): got\n%swant\n%s", got, want)
	}
}

func release(t *testing.T) string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.SplitN(unix.ByteSliceToString(u.Release[:]), ".", 3)[:2], ".")
}
