package repo

import "testing"

// TestSection: the tables that make matrix and make jdks write have a place in the
// README, and what is put there is what was read.
func TestSection(t *testing.T) {
	for _, name := range []string{"matrix", "jdks"} {
		begin, end := "<!-- "+name+", written by make "+name+" -->\n", "<!-- end of "+name+" -->\n"
		was, replace, err := Section(begin, end)
		if err != nil || was == "" {
			t.Fatalf("%s: %q, %v", name, was, err)
		}
		if err := replace(was); err != nil {
			t.Fatal(err)
		}
		if is, _, err := Section(begin, end); err != nil || is != was {
			t.Errorf("%s: %q, %v; want %q", name, is, err, was)
		}
	}
	if _, _, err := Section("<!-- nothing -->\n", "<!-- of the kind -->\n"); err == nil {
		t.Error("a place that is not there")
	}
}
