package guest

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/tailspan/tailspan/deploy/lab/vm/plan"
)

// here is the plan of the guest that this runs in.
func here(t *testing.T) *plan.Plan {
	t.Helper()
	b, err := os.ReadFile(plan.File)
	if err != nil || os.Getpid() == 1 {
		t.Skip("runs in a kernel of its own: make test-vm")
	}
	var p plan.Plan
	if err := json.Unmarshal(b, &p); err != nil {
		t.Fatal(err)
	}
	return &p
}
