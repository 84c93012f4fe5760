package clients

import (
	"bufio"
	"crypto/md5"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"
)

// Sent is what a client knows of one batch that it sent, or, where it does not
// show its batches (all but Raw), of one record. What it cannot know is null.
type Sent struct {
	Client   Client `json:"client"`
	ClientID string `json:"client_id"`
	Shape    Shape  `json:"shape,omitempty"` // of a raw request

	// Of the request; only raw ones are known.
	Local         string `json:"local,omitempty"` // the client's end of the connection, ip:port
	CorrelationID *int32 `json:"correlation_id"`
	APIVersion    *int16 `json:"api_version"`
	ThrottleMS    int32  `json:"throttle_ms,omitempty"` // as the response says

	Acks          int16  `json:"acks"`
	TransactionID string `json:"transactional_id,omitempty"`
	Aborted       bool   `json:"aborted,omitempty"` // its transaction was
	Codec         string `json:"codec"`             // as asked for
	Topic         string `json:"topic"`
	Partition     int32  `json:"partition"`

	Records    int      `json:"records"` // 1, or those of the batch
	Bytes      int      `json:"bytes"`   // of the value, or of the whole batch
	CRC        *uint32  `json:"crc"`     // the batch's CRC32C
	MessageIDs []string `json:"message_ids"`
	Parents    []string `json:"traceparents"` // the records' headers

	SentNS  int64  `json:"sent_ns"`           // unix; before it was handed to the client or written
	AckNS   *int64 `json:"ack_ns"`            // unix; when the client was told
	Offset  *int64 `json:"offset"`            // of the record, or the batch's base offset; of acks=0 unknown
	Error   *int16 `json:"error"`             // Kafka's number in the response, 0: none
	Failure string `json:"failure,omitempty"` // what the client says of it, where it failed
}

// Failed says whether the client was told that it failed, or given up itself.
func (s *Sent) Failed() bool { return s.Failure != "" || s.Error != nil && *s.Error != 0 }

// Header is the name of the record header with the message id, Traceparent that
// of the trace context.
const (
	Header      = "message-id"
	Traceparent = "traceparent"
)

// MessageID of a client's nth record.
func MessageID(clientID string, n int64) string { return clientID + "-" + strconv.FormatInt(n, 10) }

// TraceparentOf a record is made of the MD5 of its message id and of the MD5 of
// that, so that each client makes it with what its language brings along.
func TraceparentOf(messageID string) string {
	trace := md5.Sum([]byte(messageID))
	span := md5.Sum(trace[:])
	return fmt.Sprintf("00-%x-%x-01", trace, span[:8])
}

// log is the file that a client's record is kept in. Safe for many goroutines.
type log struct {
	mu   sync.Mutex
	file *os.File
	out  *bufio.Writer
	err  error
}

func newLog(name string) (*log, error) {
	f, err := os.Create(name)
	if err != nil {
		return nil, fmt.Errorf("record of what is sent: %w", err)
	}
	return &log{file: f, out: bufio.NewWriter(f)}, nil
}

// add writes a line; its error comes with close.
func (l *log) add(s *Sent) {
	line, err := json.Marshal(s)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err = errors.Join(l.err, err); l.err == nil {
		_, l.err = l.out.Write(append(line, '\n'))
	}
}

func (l *log) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := errors.Join(l.err, l.out.Flush(), l.file.Close()); err != nil {
		return fmt.Errorf("record of what is sent: %w", err)
	}
	return nil
}

// Read hands over each line of a client's record.
func Read(name string, each func(*Sent) error) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("read what was sent: %w", err)
	}
	defer f.Close()
	for lines := json.NewDecoder(bufio.NewReader(f)); ; {
		var s Sent
		if err := lines.Decode(&s); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read what was sent: %w in %s", err, name)
		}
		if err := each(&s); err != nil {
			return err
		}
	}
}

func ptr[T any](v T) *T { return &v }

func nanos(t time.Time) *int64 { return ptr(t.UnixNano()) }
