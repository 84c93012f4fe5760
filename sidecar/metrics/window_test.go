package metrics

import (
	"testing"
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
)

// clocked are Metrics whose clock the test turns.
func clocked() (*Metrics, *time.Time) {
	m := measuring()
	now := time.Now()
	m.now = func() time.Time { return now }
	m.turned = now
	return m, &now
}

const writeMaxName = "tailspan_write_duration_max_seconds"

// TestGreatest scrapes each 15 s: a value is seen for one to two minutes.
func TestGreatest(t *testing.T) {
	m, now := clocked()
	url := serve(t, m)
	for at := 0; at < 600; at += 15 {
		d := ms
		if at == 30 || at == 330 {
			d = 700 * ms
		}
		m.Write(&Write{Broker: 1, Duration: d})
		*now = now.Add(15 * time.Second)
		got := scrape(t, url, acceptProtobuf).value(writeMaxName, "broker", "1")
		since := (at + 15) - 30
		if at >= 315 {
			since -= 300
		}
		if since >= 15 && since <= 75 && got != 0.7 {
			t.Errorf("%d s after it: %v", since, got)
		}
		if (since < 0 || since > 135) && got != 0.001 {
			t.Errorf("%d s after it: %v", since, got)
		}
	}
}

// TestGreatestOfALongTime scrapes rarely: no value is missed.
func TestGreatestOfALongTime(t *testing.T) {
	m, now := clocked()
	url := serve(t, m)
	for i := 1; i <= 5; i++ {
		m.Write(&Write{Broker: 1, Duration: time.Duration(10-i) * ms})
		*now = now.Add(10 * time.Minute)
		if got := scrape(t, url, acceptProtobuf).value(writeMaxName, "broker", "1"); got != float64(10-i)/1000 {
			t.Errorf("after %d scrapes: %v", i, got)
		}
	}
}

func TestGreatestOfWhat(t *testing.T) {
	m, now := clocked()
	url := serve(t, m)
	if f := scrape(t, url, acceptProtobuf); f[writeMaxName] != nil {
		t.Error("the greatest of nothing")
	}
	full(m)
	m.Commit(&Commit{Device: event.Device(8 << 20), Duration: 3 * ms})
	f := scrape(t, url, acceptProtobuf)
	for name, want := range map[string]float64{"produce_duration": 0.08, "write_duration": 0.079} {
		if got := f.value("tailspan_"+name+"_max_seconds", "broker", "1"); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	for device, want := range map[string]float64{"8:1": 0.1, "8:0": 0.003} {
		if got := f.value("tailspan_journal_commit_duration_max_seconds", "device", device); got != want {
			t.Errorf("%s: %v", device, got)
		}
	}
	for range 2 {
		*now = now.Add(time.Minute)
		f = scrape(t, url, acceptProtobuf)
	}
	if got := f.value(writeMaxName, "broker", "1"); got != 0 {
		t.Errorf("two minutes later: %v", got)
	}
}
