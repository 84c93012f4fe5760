package sidecar

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"testing"
	"time"

	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/sidecar/config"
	"github.com/tailspan/tailspan/sidecar/report/page"
)

// The page of what goes on shows what a report of the same recording does.
func TestLivePage(t *testing.T) {
	path := unpack(t)
	c := config.Config{Print: "none", Format: "table", SLO: 65 * time.Millisecond, Listen: "127.0.0.1:0", ListenAsked: true, MaxTopics: 100,
		TraceURL: "http://localhost/trace/{trace_id}"}
	s, err := New(Options{Config: c, Stdout: io.Discard, Version: "test", Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Replay(context.Background(), path); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if there, err := s.out.page.write(&b, false, "test"); err != nil || !there {
		t.Fatal(there, err)
	}
	got := embedded[page.Page](t, b.Bytes())
	want := reportOf(t, config.Config{Args: []string{path}, SLO: c.SLO})
	if len(got.Sources) != 1 || got.Sources[0].Requests != want.Requests.Count+want.Unanswered || len(got.Traces) == 0 {
		t.Errorf("sources %+v, %d traces", got.Sources, len(got.Traces))
	}
	got.Sources, want.Sources = nil, nil
	if g, w := inJSON(t, got), inJSON(t, want); g != w {
		t.Errorf("got  %.3000s\nwant %.3000s", g, w)
	}
	if there, err := s.out.page.write(&b, true, "test"); err != nil || there {
		t.Errorf("there is an hour before: %v", err)
	}
}

func inJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// With each hour a page begins anew; of the others but the last is kept. What was
// lost is told of the hour in which it was.
func TestLivePageHours(t *testing.T) {
	l := newLivePage(&config.Config{SLO: time.Second})
	lost := map[string]uint64{}
	free := make(chan bool, 1)
	free <- true
	l.lost = func() map[string]uint64 { // which may take its time
		<-free
		defer func() { free <- true }()
		return maps.Clone(lost)
	}
	const hour = int64(time.Hour)
	request := func(at int64) {
		l.tick(at)
		end, ns := at+1, int64(1)
		l.now.Request(&assemble.RequestRow{Arrival: at, End: &end, Latency: &ns})
	}
	data := func(before bool) page.Page {
		l.counting.Wait()
		var b bytes.Buffer
		if there, err := l.write(&b, before, ""); err != nil || !there {
			t.Fatal(there, err)
		}
		return embedded[page.Page](t, b.Bytes())
	}
	request(10*hour + 5)
	lost["packets"] = 2
	request(11*hour - 5)
	<-free
	request(11 * hour)
	free <- true
	l.counting.Wait()
	lost["packets"] = 5
	if now, before := data(false), data(true); now.Requests.Count != 1 || before.Requests.Count != 2 || now.Lost["packets"] != 3 || before.Lost["packets"] != 2 {
		t.Errorf("%d and %d requests, %v and %v lost", now.Requests.Count, before.Requests.Count, now.Lost, before.Lost)
	}
	request(14 * hour)
	if now, before := data(false), data(true); now.Requests.Count != 1 || before.Requests.Count != 1 || len(now.Lost) != 0 || before.Lost["packets"] != 3 ||
		now.Sources[0].Name != "live, since 1970-01-01 14:00:00 UTC" {
		t.Errorf("%d and %d requests, %v and %v lost, %+v", now.Requests.Count, before.Requests.Count, now.Lost, before.Lost, now.Sources)
	}
}
