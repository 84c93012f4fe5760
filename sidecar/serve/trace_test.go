package serve

import (
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tailspan/tailspan/sidecar/topics"
	"github.com/tailspan/tailspan/spans"
)

// fixture is a log dir of Kafka 4.1.1: see its README.
const fixture = "../segment/testdata/kafka-4.1.1"

const jaeger = TraceURL("http://127.0.0.1:16686/trace/{trace_id}?start={start}&end={end}")

// long ago is before the fixture was written.
var longAgo = time.Unix(1_700_000_000, 0)

// logDir is a copy of the fixture that a test may change.
func logDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(fixture)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// batch is the header of a record batch, as a segment begins with; what its
// records are nobody asks.
func batch(base int64, records int, attributes uint16, timestamp int64) []byte {
	b := make([]byte, 80)
	binary.BigEndian.PutUint64(b, uint64(base))
	binary.BigEndian.PutUint32(b[8:], uint32(len(b)-12))
	b[16] = 2
	binary.BigEndian.PutUint16(b[21:], attributes)
	binary.BigEndian.PutUint32(b[23:], uint32(records-1))
	binary.BigEndian.PutUint64(b[27:], uint64(timestamp))
	binary.BigEndian.PutUint64(b[35:], uint64(timestamp))
	binary.BigEndian.PutUint32(b[57:], uint32(records))
	return b
}

// partition makes a partition's directory, without a topic id.
func partition(t *testing.T, dir, name string, batches ...[]byte) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, b := range batches {
		all = append(all, b...)
	}
	if err := os.WriteFile(filepath.Join(dir, name, "00000000000000000000.log"), all, 0o644); err != nil {
		t.Fatal(err)
	}
}

func idOf(t *testing.T, dir, partition string) [16]byte {
	t.Helper()
	id, err := topics.ReadPartitionID(filepath.Join(dir, partition))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// asked is the answer in JSON, held to the one in HTML.
func asked(t *testing.T, s *Server, query string) (a answer) {
	t.Helper()
	r := ask(t, s, "/trace?"+query+"&format=json", nil)
	if err := json.Unmarshal([]byte(r.body), &a); err != nil {
		t.Fatalf("%s: %q: %v", query, r.body, err)
	}
	a.status = r.status
	page := ask(t, s, "/trace?"+query, func(r *http.Request) { r.Header.Set("Accept", "text/html,*/*") })
	switch {
	case r.status == 200 && a.URL != nil:
		if page.status != 302 || page.header.Get("Location") != *a.URL {
			t.Errorf("%s: %d to %s, in JSON %s", query, page.status, page.header.Get("Location"), *a.URL)
		}
	case page.status != r.status || page.header.Get("Location") != "" || !strings.Contains(page.body, "<h1>"):
		t.Errorf("%s: %d %s, in JSON %d", query, page.status, page.body, r.status)
	}
	return a
}

func text(s *string) string {
	if s == nil {
		return "null"
	}
	return *s
}

func kept(a *answer) string {
	switch {
	case a.Kept == nil:
		return "null"
	case *a.Kept:
		return "true"
	}
	return "false"
}

// TestNotKept: the batch is in the log, the trace in no index. What is told of
// it depends on when it was written.
func TestNotKept(t *testing.T) {
	dir := logDir(t)
	now := time.Now()
	partition(t, dir, "recent-0", batch(0, 5, 0, now.Add(-time.Second).UnixMilli()))
	partition(t, dir, "older-0", batch(0, 5, 0, now.Add(-time.Minute).UnixMilli()))
	partition(t, dir, "stamped-1", batch(0, 5, 8, now.Add(-2*time.Hour).UnixMilli()))
	partition(t, dir, "timeless-0", batch(0, 5, 0, -1), batch(5, 5, 0, now.Add(time.Hour).UnixMilli()))
	index := NewIndex(1, nil)
	full := NewIndex(1, nil)
	for i := range 2 { // the second has the first forgotten
		tr := traceOf(uint64(i), at("x", 0, int64(i), int64(i)))
		tr.Spans[0].Start, tr.Spans[0].End = now.Add(-time.Hour).UnixNano(), now.Add(-30*time.Second).UnixNano()
		full.Add(tr)
	}
	id := spans.PlaceID("C", idOf(t, dir, "clients-0"), "clients", 0, 3).String()
	for _, c := range []struct {
		name, query string
		index       *Index
		since       time.Time
		kept        string
		ids         []string // made of the topic's id, its name
		says        string
	}{
		{"not kept", "topic=clients&partition=0&offset=5", index, longAgo, "false",
			[]string{id, spans.PlaceID("C", [16]byte{}, "clients", 0, 3).String()}, "not kept by this sidecar"},
		{"the topic has no id", "topic=older&partition=0&offset=4", index, longAgo, "false",
			[]string{spans.PlaceID("C", [16]byte{}, "older", 0, 0).String()}, "not kept by this sidecar"},
		{"before it was traced", "topic=older&partition=0&offset=4", index, now.Add(-time.Second), "null", nil, "before this sidecar traced"},
		{"by the producer's clock", "topic=older&partition=0&offset=4", index, now.Add(-time.Second), "null", nil, "by the producer's clock"},
		{"by the broker's clock", "topic=stamped&partition=1&offset=4", index, now.Add(-time.Second), "null", nil, "by the broker's clock"},
		{"not decided", "topic=recent&partition=0&offset=4", index, longAgo, "null", nil, "may not be decided yet"},
		{"forgotten", "topic=older&partition=0&offset=4", full, longAgo, "null", nil, "not all kept traces are remembered"},
		{"no timestamp", "topic=timeless&partition=0&offset=4", index, longAgo, "null", nil, "do not say when"},
		{"of tomorrow", "topic=timeless&partition=0&offset=5", index, longAgo, "null", nil, "do not say when"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := started(t, Options{TraceURL: jaeger, Index: c.index,
				Brokers: func() []Broker {
					return []Broker{{PID: 1, Node: 1, Cluster: "C", LogDirs: []string{dir}, Since: c.since}}
				}})
			a := asked(t, s, c.query)
			if a.status != 404 || kept(&a) != c.kept || !strings.Contains(a.Reason, c.says) || text(a.Cluster) != "C" {
				t.Errorf("%d, kept %s: %s", a.status, kept(&a), a.Reason)
			}
			if c.ids != nil && strings.Join(append([]string{text(a.TraceID)}, a.Others...), " ") != strings.Join(c.ids, " ") {
				t.Errorf("%s %v instead of %v", text(a.TraceID), a.Others, c.ids)
			}
			if want := c.kept == "null"; (a.URL != nil) != want || want && !strings.Contains(*a.URL, *a.TraceID) {
				t.Errorf("kept %s: %s", c.kept, text(a.URL))
			}
			page := ask(t, s, "/trace?"+c.query, nil).body
			if !strings.Contains(page, *a.TraceID) || strings.Contains(page, "http://127.0.0.1:16686/") != (c.kept == "null") {
				t.Error(page)
			}
		})
	}
}

// TestKept: the index knows it, also where no log does.
func TestKept(t *testing.T) {
	dir := logDir(t)
	for _, d := range []string{"clients-0", "compacted-0"} { // made long ago
		if err := os.Chtimes(filepath.Join(dir, d, "partition.metadata"), longAgo, longAgo); err != nil {
			t.Fatal(err)
		}
	}
	index := NewIndex(0, nil)
	index.Add(traceOf(0, at("clients", 0, 3, 5), at("elsewhere", 7, 100, 199)))
	index.Add(traceOf(1, at("clients", 0, 7, 8)))   // the log has 6 to 8
	index.Add(traceOf(2, at("compacted", 0, 3, 5))) // compacted away
	index.Add(traceOf(3, at("by-gzip", 0, 3, 5)))
	one := traceOf(0).ID.String()
	s := started(t, Options{TraceURL: jaeger, Index: index,
		Brokers: func() []Broker { return []Broker{{Cluster: "", LogDirs: []string{dir}, Since: longAgo}} }})
	for _, c := range []struct {
		name, query  string
		status       int
		kept, id     string
		base, offset int64
	}{
		{"first offset", "topic=clients&partition=0&offset=3", 200, "true", one, 3, 3},
		{"last offset", "topic=clients&partition=0&offset=5", 200, "true", one, 3, 5},
		{"another partition of the request", "topic=elsewhere&partition=7&offset=150", 200, "true", one, 100, 150},
		{"compacted away since", "topic=compacted&partition=0&offset=4", 200, "true", traceOf(2).ID.String(), 3, 4},
		{"overwritten since", "topic=clients&partition=0&offset=8", 404, "false", spans.PlaceID("", idOf(t, dir, "clients-0"), "clients", 0, 6).String(), 6, 8},
	} {
		a := asked(t, s, c.query)
		if a.status != c.status || kept(&a) != c.kept || text(a.TraceID) != c.id || *a.Base != c.base || *a.Offset != c.offset {
			t.Errorf("%s: %d kept %s, %s in %d: %s", c.name, a.status, kept(&a), text(a.TraceID), *a.Base, a.Reason)
		}
		if c.kept == "true" && (a.URL == nil || !strings.HasPrefix(*a.URL, "http://127.0.0.1:16686/trace/"+c.id+"?start=17999999")) {
			t.Errorf("%s: %s", c.name, text(a.URL))
		}
	}
	// What was kept of a topic of that name, before this one was made.
	after := time.Unix(unixSecond+100, 0)
	if err := os.Chtimes(filepath.Join(dir, "by-gzip-0", "partition.metadata"), after, after); err != nil {
		t.Fatal(err)
	}
	a := asked(t, s, "topic=by-gzip&partition=0&offset=4")
	if a.status != 404 || a.Kept != nil || !strings.Contains(a.Reason, "before this log was made") ||
		text(a.TraceID) != spans.PlaceID("", idOf(t, dir, "by-gzip-0"), "", 0, 3).String() || a.Others[1] != traceOf(3).ID.String() {
		t.Errorf("%+v", a)
	}
	// Without a template there is nowhere to be led to.
	s = started(t, Options{Index: index})
	if a := asked(t, s, "topic=clients&partition=0&offset=5"); a.status != 200 || kept(&a) != "true" || a.URL != nil {
		t.Errorf("%+v", a)
	}
	if st := s.Stats(); st.Kept != 2 {
		t.Errorf("%+v", st)
	}
}

// TestNoTrace: what no request wrote, or no log here has.
func TestNoTrace(t *testing.T) {
	dir := logDir(t)
	partition(t, dir, "__consumer_offsets-0", batch(0, 5, 0, time.Now().UnixMilli()))
	partition(t, dir, "old-0", []byte("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0e\x00\x00\x00\x00\x01\x00\xff\xff\xff\xff\xff\xff\xff\xff"))
	partition(t, dir, "broken-0", []byte(strings.Repeat("no batch ", 20)))
	if err := os.Remove(filepath.Join(dir, "clients-0", "00000000000000000000.log")); err != nil {
		t.Fatal(err)
	}
	brokers := []Broker{{Cluster: "C", LogDirs: []string{dir}, Since: longAgo}}
	for _, c := range []struct {
		name, query string
		brokers     []Broker
		status      int
		says        string
	}{
		{"another topic", "topic=nobody&partition=0&offset=0", brokers, 404, "has a log nobody-0"},
		{"another partition", "topic=clients&partition=9&offset=0", brokers, 404, "has a log clients-9"},
		{"another cluster", "topic=clients&partition=0&offset=30&cluster=D", brokers, 404, "No broker of the cluster D"},
		{"no broker", "topic=clients&partition=0&offset=30", nil, 404, "No broker is traced"},
		{"before the log's start", "topic=clients&partition=0&offset=29", brokers, 404, "begins after this offset, at 30"},
		{"behind its end", "topic=clients&partition=0&offset=36", brokers, 404, "next that is written gets 36"},
		{"compacted", "topic=compacted&partition=0&offset=4", brokers, 404, "compacted away"},
		{"a marker", "topic=transaction&partition=0&offset=3", brokers, 404, "transaction's marker"},
		{"a coordinator's", "topic=__consumer_offsets&partition=0&offset=3", brokers, 404, "Only brokers write"},
		{"an older format", "topic=old&partition=0&offset=0", brokers, 404, "format 1"},
		{"no batch", "topic=broken&partition=0&offset=0", brokers, 503, "no record batch here"},
		{"no log dir", "topic=clients&partition=0&offset=30", []Broker{{LogDirs: []string{filepath.Join(dir, "none")}}}, 503, "no such file"},
		{"not a log dir", "topic=clients&partition=0&offset=30", []Broker{{LogDirs: []string{t.TempDir()}}}, 503, "its log dir is none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := started(t, Options{TraceURL: jaeger, Brokers: func() []Broker { return c.brokers }})
			a := asked(t, s, c.query)
			if a.status != c.status || a.Kept != nil || a.TraceID != nil || a.URL != nil || !strings.Contains(a.Reason, c.says) {
				t.Errorf("%d %+v", a.status, a)
			}
			if strings.Contains(a.Reason, dir) {
				t.Errorf("it shows a path: %s", a.Reason)
			}
		})
	}
}

func TestBadQuery(t *testing.T) {
	hostile := "%3Cscript%3Ealert(1)%3C/script%3E"
	s := started(t, Options{TraceURL: jaeger})
	for query, says := range map[string]string{
		"":                                      "topic is missing",
		"topic=a":                               "partition is missing",
		"topic=a&partition=0":                   "offset is missing",
		"partition=0&offset=0":                  "topic is missing",
		"topic=a&partition=-1&offset=0":         "partition is no number",
		"topic=a&partition=2147483648&offset=0": "partition is no number",
		"topic=a&partition=0&offset=-1":         "offset is no number",
		"topic=a&partition=0&offset=0x10":       "offset is no number",
		"topic=a&partition=0&offset=9223372036854775808":             "offset is no number",
		"topic=a&topic=b&partition=0&offset=0":                       "topic is there 2 times",
		"topic=" + hostile + "&partition=0&offset=0":                 "topic is no name",
		"topic=..&partition=0&offset=0":                              "topic is no name",
		"topic=../a&partition=0&offset=0":                            "topic is no name",
		"topic=a/b&partition=0&offset=0":                             "topic is no name",
		"topic=a%00&partition=0&offset=0":                            "topic is no name",
		"topic=a&partition=0&offset=0;b":                             "not well-formed",
		"topic=a%zz&partition=0&offset=0":                            "not well-formed",
		"topic=a&partition=0&offset=0&format=xml":                    "format is neither",
		"topic=a&partition=0&offset=0&cluster=" + long(maxCluster+1): "cluster is longer",
	} {
		r := ask(t, s, "/trace?"+query, func(r *http.Request) { r.Header.Set("Accept", "application/json") })
		var a answer
		if err := json.Unmarshal([]byte(r.body), &a); err != nil || r.status != 400 || !strings.Contains(a.Reason, says) {
			t.Errorf("%s: %d %s %v", query, r.status, r.body, err)
		}
		if page := ask(t, s, "/trace?"+query, nil); page.status != 400 || strings.Contains(page.body, "<script") {
			t.Errorf("%s: %d %s", query, page.status, page.body)
		}
	}
	if st := s.Stats(); st.Invalid != 38 {
		t.Errorf("%+v", st)
	}
	// What is shown of a query is escaped.
	page := ask(t, s, "/trace?topic=a&partition=0&offset=0&cluster="+hostile, nil)
	if page.status != 404 || strings.Contains(page.body, "<script") || !strings.Contains(page.body, "&lt;script") {
		t.Errorf("%+v", page)
	}
}

func long(n int) string { return strings.Repeat("x", n) }

// TestFollowers: two brokers of one cluster have the log, one of them is behind;
// another cluster has a topic of that name.
func TestFollowers(t *testing.T) {
	leader, follower, other := logDir(t), logDir(t), logDir(t)
	if err := os.RemoveAll(filepath.Join(follower, "clients-0", "00000000000000000030.log")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(other, "stamped-0")); err != nil {
		t.Fatal(err)
	}
	brokers := []Broker{
		{Node: 1, Cluster: "C", LogDirs: []string{t.TempDir(), follower}, Since: longAgo}, // one of its dirs is no log dir
		{Node: 2, Cluster: "C", LogDirs: []string{leader}, Since: longAgo},
		{Node: 1, Cluster: "D", LogDirs: []string{other}, Since: time.Now()},
	}
	index := NewIndex(0, nil)
	s := started(t, Options{TraceURL: jaeger, Index: index, Brokers: func() []Broker { return brokers }})
	id := spans.PlaceID("C", idOf(t, leader, "clients-0"), "", 0, 33).String()
	if a := asked(t, s, "topic=clients&partition=0&offset=35"); a.status != 400 || !strings.Contains(a.Reason, "cluster=, one of C, D") {
		t.Errorf("%+v", a)
	}
	if a := asked(t, s, "topic=clients&partition=0&offset=35&cluster=C"); kept(&a) != "false" || text(a.TraceID) != id {
		t.Errorf("%+v", a)
	}
	if a := asked(t, s, "topic=clients&partition=0&offset=35&cluster=D"); kept(&a) != "null" || text(a.TraceID) == id || text(a.Cluster) != "D" {
		t.Errorf("%+v", a)
	}
	if a := asked(t, s, "topic=stamped&partition=0&offset=1"); kept(&a) != "false" || text(a.Cluster) != "C" {
		t.Errorf("%+v", a)
	}
	// Of two brokers the one that is traced for less long decides.
	brokers[0].Since = time.Now()
	if a := asked(t, s, "topic=stamped&partition=0&offset=1"); kept(&a) != "null" || text(a.Cluster) != "C" {
		t.Errorf("%+v", a)
	}
}

// TestSlowDisk: searches that do not come back are answered without, keep their
// slots, and hold up no kept trace.
func TestSlowDisk(t *testing.T) {
	index := NewIndex(0, nil)
	index.Add(traceOf(0, at("a", 0, 0, 9)))
	release := make(chan struct{})
	s := started(t, Options{TraceURL: jaeger, Index: index, Brokers: func() []Broker { <-release; return nil }})
	began := time.Now()
	if a := asked(t, s, "topic=a&partition=0&offset=5"); a.status != 200 || time.Since(began) > 5*checkTime {
		t.Errorf("%+v after %v", a, time.Since(began))
	}
	var wg sync.WaitGroup
	for range maxSearches - 2 { // asked asks twice
		wg.Go(func() {
			r := ask(t, s, "/trace?topic=b&partition=0&offset=5", nil)
			if r.status != 503 || !strings.Contains(r.body, "in time") || r.header.Get("Retry-After") == "" {
				t.Errorf("%+v", r)
			}
		})
	}
	wg.Wait()
	if r := ask(t, s, "/trace?topic=b&partition=0&offset=5", nil); r.status != 503 || !strings.Contains(r.body, "other searches") {
		t.Errorf("%+v", r)
	}
	if a := asked(t, s, "topic=a&partition=0&offset=5"); a.status != 200 {
		t.Errorf("%+v", a)
	}
	close(release)
	for len(s.slots) > 0 {
		time.Sleep(time.Millisecond)
	}
	if a := asked(t, s, "topic=b&partition=0&offset=5"); a.status != 404 {
		t.Errorf("%+v", a)
	}
	if st := s.Stats(); st.Unread != maxSearches || st.TooMany != 3 || st.Kept != 4 {
		t.Errorf("%+v", st)
	}
}

// written is a whole batch of records with a trace context each.
func written(contexts ...string) []byte {
	var records []byte
	for i, c := range contexts {
		r := kmsg.Record{OffsetDelta: int32(i), Value: []byte("v"), Headers: []kmsg.Header{{Key: "traceparent", Value: []byte(c)}}}
		r.Length = int32(len(r.AppendTo(nil)) - 1) // of which one byte is the length's own
		records = r.AppendTo(records)
	}
	b := (&kmsg.RecordBatch{Length: int32(49 + len(records)), Magic: 2, LastOffsetDelta: int32(len(contexts) - 1),
		NumRecords: int32(len(contexts)), Records: records}).AppendTo(nil)
	binary.BigEndian.PutUint32(b[17:], crc32.Checksum(b[21:], crc32.MakeTable(crc32.Castagnoli)))
	return b
}

// TestParent: where requests may be parts of their producers' traces, the id is
// the one that all records of the batch carry.
func TestParent(t *testing.T) {
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	one, other, unsampled := "00-"+trace+"-00f067aa0ba902b7-01", "00-"+trace+"-00f067aa0ba902b8-01", "00-"+trace+"-00f067aa0ba902b7-00"
	broken := written(one)
	broken[len(broken)-1]++
	for name, k := range map[string]struct {
		batch []byte
		asked bool
		want  bool
	}{
		"one context":  {written(one, one), true, true},
		"two":          {written(one, other), true, false},
		"not sampled":  {written(one, unsampled), true, false},
		"not whole":    {broken, true, false},
		"no record":    {batch(0, 1, 0, 0), true, false},
		"not asked of": {written(one, one), false, false},
	} {
		dir := t.TempDir()
		partition(t, dir, "a-0", k.batch)
		s := started(t, Options{TraceURL: jaeger, AdoptParent: k.asked,
			Brokers: func() []Broker { return []Broker{{Cluster: "C", LogDirs: []string{dir}}} }})
		a := asked(t, s, "topic=a&partition=0&offset=0")
		place := spans.PlaceID("C", [16]byte{}, "a", 0, 0).String()
		if k.want && (text(a.TraceID) != trace || a.Others[0] != place) || !k.want && (text(a.TraceID) != place || len(a.Others) != 0) {
			t.Errorf("%s: %s %v", name, text(a.TraceID), a.Others)
		}
		if kept(&a) != "null" || !strings.Contains(*a.URL, *a.TraceID) {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// TestConcurrentLookups is for the race detector.
func TestConcurrentLookups(t *testing.T) {
	dir := logDir(t)
	index := NewIndex(0, nil)
	s := started(t, Options{TraceURL: jaeger, Index: index,
		Brokers: func() []Broker { return []Broker{{Cluster: "", LogDirs: []string{dir}, Since: longAgo}} }})
	var wg sync.WaitGroup
	for range maxSearches {
		wg.Go(func() {
			for i := range 20 {
				index.Add(traceOf(uint64(i), at("clients", 0, 3, 5)))
				if r := ask(t, s, "/trace?topic=clients&partition=0&offset=4", nil); r.status != 302 && r.status != 404 {
					t.Errorf("%+v", r)
				}
				if r := ask(t, s, "/trace?topic=clients&partition=0&offset=9", nil); r.status != 404 && r.status != 503 {
					t.Errorf("%+v", r)
				}
			}
		})
	}
	wg.Wait()
}

func TestWantsJSON(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "*/*": false, "application/json": true, "application/json;q=0": false,
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": false,
		"application/json, text/plain, */*":                               true,
		"application/json, text/html":                                     false,
		"nonsense;;;,application/json":                                    true,
	} {
		r, err := http.NewRequest("GET", "http://h/trace", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", accept)
		if got := wantsJSON(r); got != want {
			t.Errorf("%q: %v", accept, got)
		}
	}
}
