package canary

import (
	"encoding/binary"
	"io"
	"net"
	"strconv"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// fakeBroker reads all that comes, and answers a request with what was laid
// down for its correlation id.
type fakeBroker struct {
	address string
	port    int

	mu      sync.Mutex
	answers map[uint32][]byte
}

func (s *stage) startFake(t *testing.T) *fakeBroker {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	f := &fakeBroker{address: l.Addr().String(), port: l.Addr().(*net.TCPAddr).Port, answers: map[uint32][]byte{}}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go f.serve(c)
		}
	}()
	return f
}

func (f *fakeBroker) flag() string { return "--port=" + strconv.Itoa(f.port) }

func (f *fakeBroker) serve(c net.Conn) {
	defer c.Close()
	for {
		var start [12]byte
		if _, err := io.ReadFull(c, start[:]); err != nil {
			return
		}
		size := int64(binary.BigEndian.Uint32(start[:]))
		if size < 8 || size > 1<<20 {
			_, _ = io.Copy(io.Discard, c)
			return
		}
		if _, err := io.CopyN(io.Discard, c, size-8); err != nil {
			return
		}
		f.mu.Lock()
		answer := f.answers[binary.BigEndian.Uint32(start[8:])]
		f.mu.Unlock()
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}

// lay lays down an answer and returns its correlation id.
func (f *fakeBroker) lay(answer func(id int32) []byte) int32 {
	f.mu.Lock()
	defer f.mu.Unlock()
	id := int32(1000 + len(f.answers))
	f.answers[uint32(id)] = answer(id)
	return id
}

// askFake produces to the one that is no broker, whose answers hold marks: texts
// of errors, tags, and what breaks the format.
func (s *stage) askFake(t *testing.T) {
	t.Helper()
	n := 0
	for _, version := range []int16{8, 9, 12} {
		for _, damage := range []func([]byte) []byte{
			func(b []byte) []byte { return b },
			func(b []byte) []byte { return b[:len(b)-30] },                                                  // the connection ends within it
			func(b []byte) []byte { return frame(b[4 : len(b)-30]) },                                        // ends too early
			func(b []byte) []byte { return append(frame(b[4:], s.secret("behind an answer").Bytes), b...) }, // two, the first too long
			func(b []byte) []byte { b[6]++; return b },                                                      // to nobody's request
			func(b []byte) []byte { return s.secret("no answer at all").Bytes },
		} {
			n++
			id := s.fake.lay(func(id int32) []byte { return damage(s.answer(version, id)) })
			m := malformed{"an answer", [][]byte{s.produce("asked", version, s.topic.Text(), id, s.batch(t, "asked"))}}
			if err := m.send(s.fake.address); err != nil {
				t.Errorf("ask the fake broker: %v", err)
			}
		}
	}
	t.Logf("%d answers of no broker", n)
}

// answer is a response with texts of errors.
func (s *stage) answer(version int16, id int32) []byte {
	r := kmsg.NewPtrProduceResponse()
	r.Version = version
	e := kmsg.NewProduceResponseTopicPartitionErrorRecord()
	e.ErrorMessage = kmsg.StringPtr(s.secret("a record's error in an answer").Text())
	p := kmsg.NewProduceResponseTopicPartition()
	p.ErrorCode, p.ErrorRecords, p.ErrorMessage = 87, append(p.ErrorRecords, e), kmsg.StringPtr(s.secret("an error in an answer").Text())
	in := kmsg.NewProduceResponseTopic()
	in.Topic, in.Partitions = s.topic.Text(), append(in.Partitions, p)
	r.Topics = append(r.Topics, in)
	var header []byte
	if r.IsFlexible() {
		header = []byte{1, 9, markLength}
		header = append(header, s.secret("a tag of an answer").Bytes...)
	}
	return frame(int32s(int(id)), header, r.AppendTo(nil))
}
