package bpf

import "testing"

// The library asks the function that we put in the place of its own. A version
// that does not any more would break programs under lockdown, and there only.
func TestReadsAreKept(t *testing.T) {
	p := open(t, Options{see: []string{SubjectBlockIO}})
	asked := 0
	own := haveProbeReadKernel
	haveProbeReadKernel = func() error { asked++; return own() }
	defer func() { haveProbeReadKernel = own }()
	err := p.tryProgram(probesProgReadMemory, nil)
	if asked == 0 {
		t.Errorf("not asked: %v", err)
	}
}
