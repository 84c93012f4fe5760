package brokers

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/kafka"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/spans"
)

// span is as much of a span of --print traces as is looked at.
type span struct {
	ID         string                     `json:"span_id"`
	Parent     string                     `json:"parent_id"`
	Name       string                     `json:"name"`
	Start      int64                      `json:"start_ns"`
	End        int64                      `json:"end_ns"`
	Attributes map[string]json.RawMessage `json:"attributes"`
}

func (s *span) long() time.Duration { return time.Duration(s.End - s.Start) }

// text is an attribute without quotes, "" if it is missing.
func (s *span) text(key string) string { return strings.Trim(string(s.Attributes[key]), `"`) }

// told is one request as Tailspan and as the broker tell it.
type told struct {
	assemble.RequestRow
	phases []span // of its trace, in order
	log    kafka.Request
}

// phase is the sum of the phases with a name.
func (r *told) phase(name string) (sum time.Duration) {
	for i := range r.phases {
		if p := &r.phases[i]; p.Name == name || strings.HasPrefix(p.Name, name+" ") {
			sum += p.long()
		}
	}
	return sum
}

// find is the phase with a name that occurs once; nil: it has none.
func (r *told) find(name string) *span {
	i := slices.IndexFunc(r.phases, func(p span) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return &r.phases[i]
}

// appended is when the last append ended.
func (r *told) appended() (at int64) {
	for i := range r.phases {
		if p := &r.phases[i]; strings.HasPrefix(p.Name, spans.NameAppend+" ") {
			at = p.End
		}
	}
	return at
}

// took is what the broker says that it took from having read the request to
// having taken up its response, which it then sends.
func (r *told) took() time.Duration { return r.log.Total - r.log.Send }

// beyond is how much longer a request took, from an instant to its response's
// first byte, than the broker knows.
func (r *told) beyond(from int64) time.Duration { return time.Duration(*r.End-from) - r.took() }

// tell is all that Tailspan and these brokers say of the requests of a
// recording, by client id, in the order of arrival. Both must know the same
// requests.
func tell(t *testing.T, s trial.Session, file string, brokers ...*kafka.Broker) map[string][]*told {
	t.Helper()
	all := map[wireKey]*told{}
	for _, r := range replayed[assemble.RequestRow](t, s, file, "requests") {
		all[wireKey{r.Client, r.CorrelationID}] = &told{RequestRow: r}
	}
	logged := 0
	for _, b := range brokers {
		for _, l := range requestLog(t, b, kafka.Plaintext) {
			logged++
			if r := all[wireKey{l.Client.String(), l.CorrelationID}]; r != nil {
				r.log = l
			}
		}
	}
	for _, tr := range replayed[struct{ Spans []span }](t, s, file, "traces") {
		root := &tr.Spans[0]
		r := all[rootKey(root)]
		if r == nil {
			continue // of no request
		}
		for _, p := range tr.Spans {
			stop := p.Name == spans.NameGC || p.Name == spans.NameVMOperation // they overlap all phases
			if p.Parent == root.ID && !stop {
				r.phases = append(r.phases, p)
			}
		}
		follows(t, root, r)
	}
	byClient := map[string][]*told{}
	for key, r := range all {
		if r.log.Produce == nil || r.phases == nil {
			t.Errorf("%+v: seen as %+v, with %d phases, and not logged", key, r.RequestRow, len(r.phases))
			continue
		}
		if r.End == nil {
			t.Errorf("no end of %+v: %+v", r.RequestRow, r.log)
			continue
		}
		byClient[r.ClientID] = append(byClient[r.ClientID], r)
	}
	if logged != len(all) || logged == 0 {
		t.Errorf("%d requests seen, %d logged", len(all), logged)
	}
	for _, rs := range byClient {
		slices.SortFunc(rs, func(a, b *told) int { return int(a.Arrival - b.Arrival) })
	}
	return byClient
}

func rootKey(root *span) (k wireKey) {
	k.client = fmt.Sprintf("%s:%s", root.text(spans.KeyClientAddress), root.text(spans.KeyClientPort))
	_ = json.Unmarshal(root.Attributes[spans.KeyCorrelationID], &k.correlation)
	return k
}

// recalibrated is what two calibrations of Tailspan's clock, a second apart, may
// differ by: a row has the packets' own stamps, a trace has them by that clock.
const recalibrated = time.Microsecond

// follows: each phase begins where the one before ended, so that their sum is
// the latency. One that has no length is drawn with a nanosecond.
func follows(t *testing.T, root *span, r *told) {
	t.Helper()
	at, sum := root.Start, time.Duration(0)
	for i := range r.phases {
		p := &r.phases[i]
		if p.long() == 1 && (p.Start != at || p.End > root.End) {
			continue
		}
		if p.Start != at {
			t.Errorf("%s begins %s after the phase before it, of %+v", p.Name, time.Duration(p.Start-at), r.RequestRow)
		}
		at, sum = p.End, sum+p.long()
	}
	latency := time.Duration(root.End - root.Start)
	if sum != latency {
		t.Errorf("the phases take %s, the root %s, of %+v", sum, latency, r.RequestRow)
	}
	if r.Latency != nil && (time.Duration(*r.Latency)-latency).Abs() > recalibrated {
		t.Errorf("the root takes %s, the latency is %s, of %+v", latency, time.Duration(*r.Latency), r.RequestRow)
	}
}

// quantile of durations, which are sorted by it.
func quantile(all []time.Duration, of float64) time.Duration {
	slices.Sort(all)
	return all[min(int(of*float64(len(all))), len(all)-1)]
}
