package kafka

import "strings"

// RequestBudget is what reading the record headers of one request may cost.
func RequestBudget() Budget {
	return Budget{Bytes: headerBytes, Records: headerRecords, Time: headerTime}
}

// BatchHeaders gathers what the records of one batch say. It implements
// RecordHandler; the zero value is ready.
type BatchHeaders struct {
	MessageIDs []string // in order, at most MaxMessageIDs
	Cut        bool     // there were more message ids

	contexts contexts
	idBytes  int
}

// Record implements RecordHandler.
func (b *BatchHeaders) Record(h *RecordHeaders) {
	if h.MessageID != nil && !addMessageID(&b.MessageIDs, &b.idBytes, h.MessageID) {
		b.Cut = true
	}
	if h.Context != (TraceContext{}) {
		b.contexts.add(h.Context)
	}
}

// Contexts are the distinct trace contexts, at most MaxContexts, and the
// number of further ones.
func (b *BatchHeaders) Contexts() (list []TraceContext, omitted int) {
	return b.contexts.list, len(b.contexts.more)
}

// SharedContext says that all of the batch's records, so many, have one trace
// context, and that it is sampled.
func (b *BatchHeaders) SharedContext(records int32) bool { return b.contexts.shared(int(records)) }

// addMessageID adds an id to those of a batch, of total bytes, and says whether
// there was room.
func addMessageID(ids *[]string, total *int, id []byte) bool {
	if len(*ids) >= MaxMessageIDs || *total+len(id) > MaxMessageIDTotal {
		return false
	}
	*total += len(id)
	*ids = append(*ids, strings.ToValidUTF8(string(id), "\uFFFD"))
	return true
}
