package segment

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// prove counts the outcomes of claims; reasons stand for the unverifiable.
func prove(l *Logs, all []Claim) map[string]int {
	got := map[string]int{}
	for i := range all {
		v := l.Prove(&all[i])
		switch v.Outcome {
		case Verified:
			got["verified"]++
		case Rewritten:
			got["rewritten"]++
		case Wrong:
			got["wrong"]++
		default:
			got[v.Reason]++
		}
	}
	return got
}

func mustBe(t *testing.T, what string, got, want map[string]int) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// of are the claims of one file.
func of(all []Claim, file string) (some []Claim) {
	for _, c := range all {
		if c.File == file {
			some = append(some, c)
		}
	}
	return some
}

func TestProve(t *testing.T) {
	all := claims(t)
	mustBe(t, "all", prove(logs(t, fixture), all), map[string]int{"verified": len(all)})
}

// TestEveryByte flips each byte of a segment: the claim whose batch it is in is
// wrong, the others are not.
func TestEveryByte(t *testing.T) {
	dir := copied(t)
	file := Name("clients", 0, 0)
	some := of(claims(t), file)
	raw := read(t, filepath.Join(dir, file))
	l := logs(t, dir)
	for i := range raw {
		f, err := os.OpenFile(filepath.Join(dir, file), os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, flip := range []byte{1, 0xff} {
			if _, err := f.WriteAt([]byte{raw[i] ^ flip}, int64(i)); err != nil {
				t.Fatal(err)
			}
			for k := range some {
				c := &some[k]
				hit := int64(i) >= c.Offset && int64(i) < c.Offset+c.Bytes
				if v := l.Prove(c); (v.Outcome == Wrong) != hit || !hit && v.Outcome != Verified {
					t.Fatalf("byte %d ^ %#x, batch at %d: %+v", i, flip, c.Offset, v)
				}
			}
		}
		if _, err := f.WriteAt(raw[i:i+1], int64(i)); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
}

// TestWrong: claims that a wrong join would make.
func TestWrong(t *testing.T) {
	file := Name("clients", 0, 0)
	good := of(claims(t), file)
	l := logs(t, fixture)
	next := good[1]
	for name, change := range map[string]func(c *Claim){
		"another batch's place":          func(c *Claim) { c.Offset = next.Offset },
		"a shifted place":                func(c *Claim) { c.Offset++ },
		"a place behind the end":         func(c *Claim) { c.Offset += 1 << 20 },
		"a place before the file":        func(c *Claim) { c.Offset = -5 },
		"another file":                   func(c *Claim) { c.File = Name("by-gzip", 0, 0) },
		"another topic's request":        func(c *Claim) { c.Topic = "by-gzip" },
		"another partition's":            func(c *Claim) { c.Partition++ },
		"no segment":                     func(c *Claim) { c.File = "../../etc/passwd" },
		"another request":                func(c *Claim) { c.Request = next.Request; c.Request.BaseSequence += 100 },
		"a request of as many records":   func(c *Claim) { c.Request.CRC++; c.Request.ProducerID++ },
		"another epoch of the producer":  func(c *Claim) { c.Request.CRC++; c.Request.ProducerEpoch++ },
		"another sequence":               func(c *Claim) { c.Request.CRC++; c.Request.BaseSequence++ },
		"another number of records":      func(c *Claim) { c.Request.CRC++; c.Request.Records++ },
		"another response":               func(c *Claim) { o := *c.Response + 1; c.Response = &o },
		"another write's base offset":    func(c *Claim) { c.Written.BaseOffset++ },
		"a base offset behind the end":   func(c *Claim) { c.Written.BaseOffset += 1 << 40 },
		"another write's checksum":       func(c *Claim) { c.Written.CRC++ },
		"another write's length":         func(c *Claim) { c.Written.Bytes-- },
		"a later leader's write":         func(c *Claim) { c.Written.LeaderEpoch++ },
		"more bytes than the batch":      func(c *Claim) { c.Bytes += 3 },
		"more bytes than the file":       func(c *Claim) { c.Bytes += 1 << 20 },
		"an earlier leader's, all other": func(c *Claim) { c.Written.LeaderEpoch-- },
	} {
		c := good[0]
		change(&c)
		if v := l.Prove(&c); v.Outcome != Wrong || v.Why == "" {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// TestRight: claims that only look odd.
func TestRight(t *testing.T) {
	some := of(claims(t), Name("clients", 0, 0))
	for name, x := range map[string]struct {
		want   Outcome
		change func(c *Claim)
	}{
		"no response, as without acks":          {Verified, func(c *Claim) { c.Response = nil }},
		"a write cut short, and another one":    {Verified, func(c *Claim) { c.Bytes = 10 }},
		"a write of several batches":            {Verified, func(c *Claim) { c.Bytes += some[1].Bytes }},
		"what the broker stamped or compressed": {Rewritten, func(c *Claim) { c.Request.CRC++; c.Request.Bytes += 40 }},
		"a topic known by its id":               {Verified, func(c *Claim) { c.Topic = "" }},
		"a broker of unknown id":                {Verified, func(c *Claim) { c.Node = -1 }},
		"a write that failed":                   {Unverifiable, func(c *Claim) { c.Bytes = -28 }},
	} {
		c := some[0]
		x.change(&c)
		if v := logs(t, fixture).Prove(&c); v.Outcome != x.want {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// TestSwapped: two segments that change places, as alike as they may be.
func TestSwapped(t *testing.T) {
	dir := copied(t)
	a, b := filepath.Join(dir, Name("by-snappy", 0, 0)), filepath.Join(dir, Name("by-lz4", 0, 0))
	x, y := read(t, a), read(t, b)
	write(t, a, y)
	write(t, b, x)
	all := claims(t)
	mustBe(t, "swapped", prove(logs(t, dir), all), map[string]int{"verified": len(all) - 6, "wrong": 6})
}

// TestGone: what a broker rightly does to a log is no wrong join.
func TestGone(t *testing.T) {
	first, second := Name("clients", 0, 0), Name("clients", 0, 30)
	all := claims(t)
	n, early, late := len(all), len(of(all, first)), len(of(all, second))
	id := func(all []Claim, b byte) []Claim {
		out := append([]Claim(nil), all...)
		for i := range out {
			out[i].TopicID[0] = b
		}
		return out
	}
	for name, c := range map[string]struct {
		change func(dir string) error
		claims []Claim
		want   map[string]int
	}{
		"retention": {func(dir string) error { return os.Remove(filepath.Join(dir, first)) }, all,
			map[string]int{"verified": n - early, ReasonDeleted: early}},
		"all segments": {func(dir string) error { return os.RemoveAll(filepath.Join(dir, first)) }, of(all, first),
			map[string]int{ReasonDeleted: early}},
		"the topic is being deleted": {func(dir string) error {
			return os.Rename(filepath.Join(dir, "clients-0"), filepath.Join(dir, "clients-0.3a4f1e5c0a8b4f7d8a0e3f4b5c6d7e8f-delete"))
		}, all, map[string]int{"verified": n - early - late, ReasonTopicDeleted: early + late}},
		"the partition is elsewhere": {func(dir string) error { return os.RemoveAll(filepath.Join(dir, "clients-0")) }, all,
			map[string]int{"verified": n - early - late, ReasonElsewhere: early + late}},
		"the tail is cut off": {func(dir string) error { return os.Truncate(filepath.Join(dir, first), 1000) }, of(all, first)[9:],
			map[string]int{"wrong": 1}}, // for the next segment goes on: no truncation leaves a hole
		"the log is cut off": {func(dir string) error {
			return os.Truncate(filepath.Join(dir, second), of(all, second)[1].Offset+70)
		}, of(all, second), map[string]int{"verified": 1, ReasonTruncated: 1}},
		"the log is zero from there on": {func(dir string) error {
			b := read(t, filepath.Join(dir, second))
			clear(b[of(all, second)[1].Offset:])
			return os.WriteFile(filepath.Join(dir, second), append(b, make([]byte, 100)...), 0o644)
		}, of(all, second), map[string]int{"verified": 1, ReasonTruncated: 1}},
		"the last segment was cut off": {func(dir string) error { return os.Remove(filepath.Join(dir, second)) }, of(all, second),
			map[string]int{ReasonTruncated: late}},
		"the topic was made again": {func(dir string) error {
			b := read(t, filepath.Join(dir, first))
			b[200] ^= 1
			b[30] ^= 1
			return os.WriteFile(filepath.Join(dir, first), b[10:], 0o644)
		}, id(of(all, first), 9), map[string]int{ReasonRecreated: early}},
		"the log was built anew": {func(dir string) error {
			to := filepath.Join(dir, Name("clients", 0, 0))
			b := append(read(t, to), read(t, filepath.Join(dir, second))...)
			return firstOf(os.Remove(filepath.Join(dir, second)), os.WriteFile(to, b, 0o644))
		}, all, map[string]int{"verified": n - late, ReasonMoved: late}},
		"another broker's": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "meta.properties"), []byte("version=1\nnode.id=2\n"), 0o644)
		}, all, map[string]int{ReasonElsewhere: n}},
	} {
		dir := copied(t)
		if err := c.change(dir); err != nil {
			t.Fatal(err)
		}
		mustBe(t, name, prove(logs(t, dir), c.claims), c.want)
	}
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestCompacted: the first three batches of the compacted log were written
// where the cleaner put something else.
func TestCompacted(t *testing.T) {
	for file, batches := range dump(t) {
		if file != Name("compacted", 0, 0) {
			continue
		}
		if len(batches) >= 3 {
			t.Fatal("the cleaner removed no batch")
		}
		var written []Claim
		for i := range int64(3) {
			b := batches[0].Batch
			b.BaseOffset, b.Position, b.CRC = 3*i, 250*i, uint32(i)
			written = append(written, claimOf(file, &b))
		}
		mustBe(t, "compacted", prove(logs(t, fixture), written), map[string]int{ReasonCompacted: 3})
	}
}

// TestOverwritten: a later leader truncated the log and wrote on.
func TestOverwritten(t *testing.T) {
	dir := copied(t)
	file := Name("clients", 0, 30)
	lost := of(claims(t), file)
	b := read(t, filepath.Join(dir, Name("clients", 0, 0)))[:of(claims(t), Name("clients", 0, 0))[0].Bytes]
	b[7], b[15] = 30, 4 // base offset, leader epoch: no CRC covers them
	write(t, filepath.Join(dir, file), b)
	mustBe(t, "overwritten", prove(logs(t, dir), lost), map[string]int{ReasonTruncated: len(lost)})
	b[100] ^= 1
	write(t, filepath.Join(dir, file), b)
	mustBe(t, "overwritten by what is broken", prove(logs(t, dir), lost[:1]), map[string]int{"wrong": 1})
}
