package spans

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// TraceID and SpanID are OpenTelemetry's, as bytes; String gives lower hex.
type (
	TraceID [16]byte
	SpanID  [8]byte
)

func (id TraceID) String() string { return hex.EncodeToString(id[:]) }
func (id SpanID) String() string  { return hex.EncodeToString(id[:]) }

// IsZero says that the id is unset; OpenTelemetry calls it invalid.
func (id TraceID) IsZero() bool { return id == TraceID{} }
func (id SpanID) IsZero() bool  { return id == SpanID{} }

// PlaceID is the trace id of a request whose first written partition got its
// records at this place: SHA-256 over cluster id, topic (the 16 bytes of its
// id where there is one, else its name), partition and base offset.
func PlaceID(cluster string, topicID [16]byte, topic string, partition int32, baseOffset int64) TraceID {
	var buf [128]byte
	b := append(buf[:0], cluster...)
	if topicID != ([16]byte{}) {
		b = append(b, topicID[:]...)
	} else {
		b = append(b, topic...)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(partition))
	b = binary.BigEndian.AppendUint64(b, uint64(baseOffset))
	return traceID(b)
}

// ArrivalID is the trace id of a request that wrote nothing: SHA-256 over
// cluster id, broker id, connection, correlation id and arrival (Unix ns).
func ArrivalID(cluster string, broker int32, conn string, correlation int32, arrival int64) TraceID {
	var buf [128]byte
	b := append(buf[:0], cluster...)
	b = binary.BigEndian.AppendUint32(b, uint32(broker))
	b = append(b, conn...)
	b = binary.BigEndian.AppendUint32(b, uint32(correlation))
	b = binary.BigEndian.AppendUint64(b, uint64(arrival))
	return traceID(b)
}

// EventID is the trace id of what is no request: a commit, a write or a lock
// hold of the broker's own, named by what it is and when it began.
func EventID(cluster string, broker int32, what string, subject uint64, start int64) TraceID {
	var buf [128]byte
	b := append(buf[:0], cluster...)
	b = binary.BigEndian.AppendUint32(b, uint32(broker))
	b = append(b, what...)
	b = binary.BigEndian.AppendUint64(b, subject)
	b = binary.BigEndian.AppendUint64(b, uint64(start))
	return traceID(b)
}

// Child derives a span's id from its trace, its name and what tells it from
// its siblings (a start time, a thread, a partition), so that a link can be
// made before the span itself is.
func (id TraceID) Child(name string, keys ...uint64) SpanID {
	var buf [128]byte
	b := append(buf[:0], id[:]...)
	b = append(b, name...)
	for _, k := range keys {
		b = binary.BigEndian.AppendUint64(b, k)
	}
	sum := sha256.Sum256(b)
	var s SpanID
	copy(s[:], sum[:8])
	if s.IsZero() {
		s[7] = 1
	}
	return s
}

func traceID(b []byte) TraceID {
	sum := sha256.Sum256(b)
	var id TraceID
	copy(id[:], sum[:16])
	if id.IsZero() {
		id[15] = 1
	}
	return id
}
