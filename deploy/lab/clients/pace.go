package clients

import (
	"context"
	"math/rand/v2"
	"strings"
	"time"
)

const pollPeriod = 20 * time.Millisecond

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// pace bounds how many are sent, for how long, and how many a second.
type pace struct {
	start time.Time
	o     *Options
	n     int
}

func newPace(o *Options) *pace { return &pace{time.Now(), o, 0} }

// next waits for the time of the next one, and says whether there is one.
func (p *pace) next(ctx context.Context) bool {
	if p.o.Count > 0 && p.n >= p.o.Count || ctx.Err() != nil {
		return false
	}
	if p.o.Rate > 0 {
		due := p.start.Add(time.Duration(float64(p.n) / p.o.Rate * float64(time.Second)))
		if d := time.Until(due); d > 0 && sleep(ctx, d) != nil {
			return false
		}
	}
	if p.o.For > 0 && time.Since(p.start) >= p.o.For {
		return false
	}
	p.n++
	return true
}

// of draws a number of a range.
func (r Range) of(random *rand.Rand) int { return r[0] + random.IntN(max(r[1]-r[0], 0)+1) }

// value is a record's: text that compresses somewhat.
func value(random *rand.Rand, size Range) []byte {
	n := size.of(random)
	word := string(rune('a'+random.IntN(26))) + "ailspan "
	b := []byte(strings.Repeat(word, n/len(word)+1)[:n])
	for i := 0; i < n; i += 3 {
		b[i] = byte(' ' + random.IntN(95))
	}
	return b
}

func newRandom(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }
