// Package kafka turns the bytes of one direction of one connection into
// frames, and the frames of the API keys that are read into fields.
//
// It is handed bytes in order, in pieces of any size, and needs no frame
// whole: record batches are passed over by their length, and only a field that
// straddles two pieces is carried over. It does no I/O and knows nothing of
// packets, processes or events. It tells which bytes of each piece it decoded
// (Kept), so that the rest can be removed from a recording.
//
// Of records it reads two headers, the message id and `traceparent`, and only
// where they are wanted: HeaderReader reads them from a batch of any codec
// under a Budget, and a ProduceRequest uses it on those that pass by.
//
// Nothing here allocates by a length that came off the wire: lengths meet the
// bounds of bounds.go first, results go into storage that is used again, names
// are interned. A frame that breaks the format gives an error and no fields.
//
// One file an API key. Facts: Kafka's protocol guide and its message
// definitions (clients/src/main/resources/common/message), checked in the
// tests against github.com/twmb/franz-go/pkg/kmsg.
package kafka
