package recording

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/tailspan/tailspan/sidecar/capture"
	"github.com/tailspan/tailspan/sidecar/event"
)

// tape writes down what Play hands over.
type tape []string

func (t *tape) Packet(p capture.Packet) error {
	*t = append(*t, fmt.Sprintf("packet %d %d %x of %d", p.LinkType, p.Unix, p.Data, p.WireLength))
	return nil
}

func (t *tape) Probe(raw []byte) error {
	*t = append(*t, fmt.Sprintf("probe %x", raw))
	return nil
}

func (t *tape) Fact(f Fact) error {
	switch {
	case f.Header != nil:
		*t = append(*t, fmt.Sprintf("header %d %s", f.Header.Version, f.Header.Tailspan))
	case f.Broker != nil:
		*t = append(*t, fmt.Sprintf("broker %+v", *f.Broker))
	case f.Progress != nil:
		*t = append(*t, fmt.Sprintf("progress %d", f.Progress.Time))
	default:
		*t = append(*t, "another fact")
	}
	return nil
}

func written(t *testing.T) ([]byte, tape) {
	var b bytes.Buffer
	w := NewWriter(&b, Header{Tailspan: "test"})
	broker := Broker{PID: 7, Cluster: "c", Listeners: []netip.AddrPort{netip.MustParseAddrPort("[::1]:9092")},
		Devices: map[event.Device]string{8<<20 | 1: "ext4"}, Disks: map[event.Device][]event.Device{8<<20 | 1: {8 << 20}}}
	w.Fact(Fact{Broker: &broker})
	const stamp = 1_795_414_850_534_806_467
	w.Packet(stamp, []byte{0x45, 1, 2, 3, 4}, 900)
	w.Probe(stamp, []byte{9, 8, 7})
	w.Fact(Fact{Progress: &Mark{Time: 1 << 60}})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), tape{"header 1 test", fmt.Sprintf("broker %+v", broker),
		fmt.Sprintf("packet %d %d 4501020304 of 900", capture.LinkRaw, stamp), "probe 090807", "progress 1152921504606846976"}
}

func TestRoundTrip(t *testing.T) {
	b, want := written(t)
	f, err := capture.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	var got tape
	if err := Play(f, &got); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Cut off anywhere, what was whole is handed over, and the end is an error
// unless it falls between two blocks.
func TestCutOff(t *testing.T) {
	b, want := written(t)
	clean := 0
	for n := range b {
		f, err := capture.NewFile(bytes.NewReader(b[:n]))
		if err != nil {
			continue
		}
		var got tape
		if err := Play(f, &got); err == nil {
			clean++
		}
		if len(got) > len(want) || !slices.Equal(got, want[:len(got)]) {
			t.Fatalf("cut at %d: %v", n, got)
		}
	}
	if clean > len(want)+4 {
		t.Errorf("%d cuts were not noticed", clean)
	}
}

func TestNewer(t *testing.T) {
	var got tape
	if err := fact([]byte(`{"header":{"version":2,"tailspan":"later"}}`), &got); !errors.Is(err, ErrNewer) || len(got) != 0 {
		t.Errorf("%v, %v", err, got)
	}
	if err := fact([]byte(`{"head`), &got); err == nil {
		t.Error("a broken fact was taken")
	}
}

// full is a disk without room.
type full struct{ room int }

func (f *full) Write(b []byte) (int, error) {
	if f.room -= len(b); f.room < 0 {
		return 0, errors.New("no space left on device")
	}
	return len(b), nil
}

func TestNoRoom(t *testing.T) {
	w := NewWriter(&full{room: 2 << 20}, Header{})
	for range 100 {
		w.Packet(1, make([]byte, 60_000), 60_000)
	}
	if err := w.Flush(); err == nil {
		t.Error("nobody was told")
	}
	if _, lost := w.Stats(); lost == 0 {
		t.Error("nothing was counted")
	}
}

func BenchmarkPacket(b *testing.B) {
	w := NewWriter(&nothing{}, Header{})
	p := make([]byte, 1500)
	b.ReportAllocs()
	for b.Loop() {
		w.Packet(1, p, len(p))
	}
}

type nothing struct{}

func (*nothing) Write(b []byte) (int, error) { return len(b), nil }
