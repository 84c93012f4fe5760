package canary

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
)

// kind of a mark says where it may be seen.
type kind int

const (
	// secret may be seen nowhere.
	secret kind = iota
	// identity is a client's or transactional id: in rows, spans and recordings.
	identity
	// messageID is a value of the record header that was asked for: as identity,
	// but only where it was asked for.
	messageID
	// traceContext is the ids of a `traceparent`: in recordings, and where traces are,
	// as ids of links.
	traceContext
	// topic is a topic's name: everywhere.
	topic
	// nested is a name in a request inside of a record: nowhere but in recordings,
	// and there only of connections that packets were missed of. What then may be
	// a request is recorded before its answer shows that it was none.
	nested
)

// kindsOfMarks are all.
var kindsOfMarks = []kind{secret, identity, messageID, traceContext, topic, nested}

func (k kind) String() string {
	return [...]string{"secret", "client's id", "message id", "trace context", "topic", "name in a nested request"}[k]
}

// ledger is what was sent, by kind. Safe for many goroutines.
type ledger struct {
	topic  Mark
	header Mark // the name of the message ids' record header; a setting, so in rows and recordings

	mu    sync.Mutex
	marks map[kind][]Mark
	known known
}

func newLedger() *ledger {
	l := &ledger{marks: map[kind][]Mark{}, known: known{}, topic: New("topic's name"), header: New("header's name")}
	l.note(topic, l.topic)
	l.known.add([]byte("traceparent"), l.header.Bytes)
	return l
}

func (l *ledger) note(k kind, m Mark) Mark {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.marks[k] = append(l.marks[k], m)
	return m
}

func (l *ledger) of(k kind) []Mark {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.marks[k])
}

// secret notes a mark of letters that may be seen nowhere.
func (l *ledger) secret(format string, args ...any) Mark {
	return l.note(secret, New(format, args...))
}

// special and binary are the same of other bytes.
func (l *ledger) special(format string, args ...any) Mark {
	return l.note(secret, NewSpecial(format, args...))
}

func (l *ledger) binary(format string, args ...any) Mark {
	return l.note(secret, NewBinary(format, args...))
}

// secretBytes are random ones.
func (l *ledger) secretBytes(n int, format string, args ...any) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	l.note(secret, Of(b, format, args...))
	return b
}

// identity notes a client's or transactional id.
func (l *ledger) identity(format string, args ...any) string {
	return l.note(identity, New(format, args...)).Text()
}

// messageID notes one.
func (l *ledger) messageID(format string, args ...any) []byte {
	b := l.note(messageID, New(format, args...)).Bytes
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known.add(b)
	return b
}

// traceparent notes a context, by its ids as bytes and as the text that they are
// sent as.
func (l *ledger) traceparent(format string, args ...any) []byte {
	ids := make([]byte, 24)
	_, _ = rand.Read(ids) // never fails
	name := fmt.Sprintf(format, args...)
	text := func(b []byte) []byte { return []byte(hex.EncodeToString(b)) }
	for _, m := range []Mark{Of(ids[:16], "%s: trace id", name), Of(text(ids[:16]), "%s: text of the trace id", name), Of(text(ids[16:]), "%s: text of the span id", name)} {
		l.note(traceContext, m)
	}
	all := fmt.Appendf(nil, "00-%x-%x-01", ids[:16], ids[16:])
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known.add(all)
	return all
}

const marksOfContext = 3
