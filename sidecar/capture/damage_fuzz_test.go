package capture

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// FuzzDamage does to packets what networks and captures do, and nothing that
// they do not: it loses, repeats, swaps, cuts and beheads them, three bytes a
// step. No request or response may be invented, told twice or given to
// another; no secret may be recorded; the recording gives the same again.
func FuzzDamage(f *testing.F) {
	f.Add(uint64(1), []byte("\x00\x10\x20\x01\x30\x40"))
	f.Add(uint64(2), bytes.Repeat([]byte{4, 9, 200}, 20))
	f.Add(uint64(3), []byte{5, 0, 40, 0, 0, 80, 2, 0, 90, 3, 0, 100, 1, 1, 5})
	f.Fuzz(func(t *testing.T, seed uint64, steps []byte) {
		if len(steps) > 300 {
			return
		}
		packets, _, _ := conversation(rand.New(rand.NewPCG(seed, 3)), 2, 5)
		whole, _ := run(packets, nil, Bounds{})
		w := truthOf(t, whole.events)
		b := Bounds{HoleTimeout: time.Millisecond, HeldBytes: 100_000}
		damaged := damageBy(steps, packets)
		first, ids := run(damaged, nil, b)
		w.check(t, "@damaged", first.events, first.stats)
		checkAccounts(t, first)
		for i, p := range first.recorded {
			if bytes.Contains(p.Data, secret[:6]) {
				t.Fatalf("packet %d holds a secret", i)
			}
		}
		second, _ := run(first.recorded, ids, b)
		compareEvents(t, first.events, second.events)
	})
}

// damageBy does one step for each three bytes: what, and to which packet.
func damageBy(steps []byte, packets []Packet) []Packet {
	out := slices.Clone(packets)
	for len(steps) >= 3 && len(out) > 1 {
		at := (int(steps[1])<<8 | int(steps[2])) % len(out)
		other := min(at+1+int(steps[0]>>3)%8, len(out)-1)
		switch steps[0] & 7 {
		case 0:
			out = slices.Delete(out, at, at+1)
		case 1:
			out = slices.Delete(out, at, other)
		case 2:
			out[at].Data, out[other].Data = out[other].Data, out[at].Data
			out[at].WireLength, out[other].WireLength = out[other].WireLength, out[at].WireLength
		case 3:
			p := out[at]
			p.Unix = out[other].Unix
			out = slices.Insert(out, other, p)
		case 4: // an Ethernet capture's snap length
			if p := &out[at]; len(p.Data) > 60 {
				p.Data = p.Data[:40+(len(p.Data)-40)*int(steps[0]>>3)/32]
			}
		case 5: // joined within it
			out = out[at:]
			if p, ok := behead(out[0], 1+int(steps[0]>>3)); ok {
				out[0] = p
			}
		case 6: // the capture was away for a while
			for i := at; i < len(out); i++ {
				out[i].Unix += int64(steps[0]>>3) * int64(100*time.Millisecond)
			}
		}
		steps = steps[3:]
	}
	return out
}
