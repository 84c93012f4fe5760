package contend

import (
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/jfr"
	"github.com/tailspan/tailspan/sidecar/assemble"
)

// TestJoin: of two lists, one a second ahead, each with a wait that the other
// lacks, the rest are paired.
func TestJoin(t *testing.T) {
	const ms = int64(time.Millisecond)
	var ours []assemble.WaitRow
	var theirs []jfr.Wait
	for i := range int64(20) {
		tid := int32(7 + i%2)
		if i != 4 {
			ours = append(ours, assemble.WaitRow{TID: tid, Start: i * 10 * ms, Latency: 5 * ms})
		}
		if i != 8 {
			theirs = append(theirs, jfr.Wait{Thread: jfr.Thread{TID: tid}, Start: time.Unix(1, i*10*ms), Duration: time.Duration(5*ms + 3000)})
		}
	}
	j := join(ours, theirs)
	if len(j.pairs) != 18 || len(j.ours) != 1 || len(j.theirs) != 1 || j.ours[0].Start != 80*ms || j.theirs[0].Start != time.Unix(1, 40*ms) {
		t.Errorf("%d pairs, alone %v and %v", len(j.pairs), j.ours, j.theirs)
	}
	if j.medianOff() != 3*time.Microsecond || j.shift != time.Second {
		t.Errorf("off by %v, shifted by %v", j.medianOff(), j.shift)
	}
}
