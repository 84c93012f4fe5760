package kafka

import "testing"

// TestSharedContext: one context, on all records of all partitions, and sampled.
func TestSharedContext(t *testing.T) {
	r := newRand(t, 53)
	x := randomContext(r)
	x.Flags = Sampled
	unsampled, other := x, randomContext(r)
	unsampled.Flags, other.Flags = 0, Sampled
	with := func(c TraceContext) testRecord {
		return testRecord{value: []byte("v"), headers: [][2]string{{"id", "m"}, {"traceparent", traceparentOf(c)}}}
	}
	without := testRecord{headers: [][2]string{{"id", "m"}}}
	bad := testRecord{headers: [][2]string{{"traceparent", "00-none"}}}
	for _, c := range testCodecs {
		batch := func(records ...testRecord) []byte {
			return wrapBatch(c.attributes, len(records), c.compress(t, encodeRecords(records)))
		}
		many := make([]testRecord, headerRecords+1)
		for i := range many {
			many[i] = with(x)
		}
		older := batch(with(x))
		older[16] = 1
		for name, k := range map[string]struct {
			batches [][]byte
			want    bool
		}{
			"one record":                {[][]byte{batch(with(x))}, true},
			"all records":               {[][]byte{batch(with(x), with(x)), batch(with(x))}, true},
			"not sampled":               {[][]byte{batch(with(unsampled))}, false},
			"one not sampled":           {[][]byte{batch(with(x), with(unsampled))}, false},
			"a record without":          {[][]byte{batch(with(x), without)}, false},
			"a record with a bad one":   {[][]byte{batch(with(x), bad)}, false},
			"a partition without":       {[][]byte{batch(with(x)), batch(without)}, false},
			"another one":               {[][]byte{batch(with(x)), batch(with(other))}, false},
			"no context":                {[][]byte{batch(without)}, false},
			"more than the budget":      {[][]byte{batch(many...)}, false},
			"a batch of another format": {[][]byte{batch(with(x)), older}, false},
		} {
			u := &reuse{names: NewInterner(), headers: &HeaderReader{MessageID: "id", Contexts: true}}
			var stream RequestStream
			for range 2 { // the storage is used again
				if _, err := stream.Feed(requestFrame(requestOf(k.batches...), 1, "c"), 0, nil, u.names, u); err != nil {
					t.Fatal(err)
				}
				if got := u.request.SharedContext(); got != k.want {
					t.Errorf("%s, %s: %v", c.name, name, got)
				}
			}
		}
		records := []testRecord{with(x), with(x)}
		var read BatchHeaders // as of a segment
		budget := RequestBudget()
		if err := (&HeaderReader{Contexts: true}).Read(&budget, c.attributes, 2, c.compress(t, encodeRecords(records)), &read); err != nil ||
			!read.SharedContext(2) || read.SharedContext(3) {
			t.Errorf("%s: read from a batch: %v %v", c.name, read, err)
		}
		if feedFrame(t, requestFrame(requestOf(batch(with(x))), 1, "c"), 0, &HeaderReader{MessageID: "id"}).SharedContext() {
			t.Errorf("%s: contexts were not read", c.name)
		}
	}
}
