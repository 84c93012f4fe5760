package contend

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/jdk"
	"github.com/tailspan/tailspan/deploy/lab/repo"
)

var update = flag.Bool("update", false, "put the table into the README")

// result is what all scenes showed of one JDK.
type result struct {
	jdk.JDK
	flag          bool
	waits, alone  int // compared; seen by only one of both
	off           []time.Duration
	agree, differ int // last holders
	silent, stale int // and why they differ
	none          int // waits without an exit
	right, of     int // holders
	slow, ofSlow  int // likewise, where the slow one is it
}

func summed(j jdk.JDK, flag bool, runs []*run) (x result) {
	x.JDK, x.flag = j, flag
	for _, r := range runs {
		x.waits += len(r.waits.pairs)
		x.alone += len(r.waits.ours) + len(r.waits.theirs)
		for _, p := range r.waits.pairs {
			x.off = append(x.off, p.off().Abs())
		}
		v := r.last()
		x.agree, x.differ, x.none = x.agree+v.agree, x.differ+len(v.lines), x.none+v.none
		x.silent, x.stale = x.silent+v.silent, x.stale+v.stale
		n := r.named()
		x.right, x.of = x.right+n.right, x.of+n.of
		x.slow, x.ofSlow = x.slow+n.slow, x.ofSlow+n.ofSlow
	}
	return x
}

const tableHead = "| JDK | by | waits compared | seen by one only | median difference | last holder as in JFR | differs: no exit fired, JFR's note is older | no exit seen | holder right | slow holder named |\n" +
	"|---|---|---|---|---|---|---|---|---|---|\n"

func (x result) row() string {
	by := "functions"
	if x.flag {
		by = "USDT"
	}
	return fmt.Sprintf("| %s | %s | %d | %d | %.1f µs | %s | %d, %d | %d | %s | %s |\n", x.JDK, by, x.waits, x.alone, float64(median(x.off))/1e3,
		share(x.agree, x.agree+x.differ), x.silent, x.stale, x.none, share(x.right, x.of), share(x.slow, x.ofSlow))
}

func share(n, of int) string {
	if of == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f %%", 100*float64(n)/float64(of))
}

// Where the README has the table.
const (
	tableBegin = "<!-- jdks, written by make jdks -->\n"
	tableEnd   = "<!-- end of jdks -->\n"
)

// publish puts the table into the README if that was asked for. It is not
// compared: no two runs have the same figures.
func publish(t *testing.T, results []result) {
	t.Helper()
	var b strings.Builder
	b.WriteString(tableHead)
	for _, x := range results {
		b.WriteString(x.row())
	}
	t.Log("\n" + b.String())
	if !*update {
		return
	}
	_, replace, err := repo.Section(tableBegin, tableEnd)
	if err != nil {
		t.Fatal(err)
	}
	if err := replace(b.String()); err != nil {
		t.Fatal(err)
	}
}
