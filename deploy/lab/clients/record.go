package clients

import (
	"math/rand/v2"
	"time"
)

// abortEvery: each so-manieth transaction is aborted, of every client.
const abortEvery = 3

// maxUnacknowledged bounds what a client library holds, in records.
const maxUnacknowledged = 10_000

// aborted says whether the transaction of a client's nth record is to be.
func (o *Options) aborted(n int) bool {
	return o.Transactions > 0 && n/o.Transactions%abortEvery == abortEvery-1
}

// ends says whether a transaction ends after the nth record.
func (o *Options) ends(n int) bool { return o.Transactions > 0 && (n+1)%o.Transactions == 0 }

// transactionID of the client, "" if it has none.
func (o *Options) transactionID() string {
	if o.Transactions == 0 {
		return ""
	}
	return o.ClientID + "-txn"
}

// place is the topic and partition of the nth record: one after the other.
func (o *Options) place(n int) (string, int32) {
	t := o.Topics[n%len(o.Topics)]
	return t.Name, int32(n/len(o.Topics)) % max(t.Partitions, 1)
}

// newSent is the record of the nth record, before it goes out.
func (o *Options) newSent(n int, value []byte) *Sent {
	id := MessageID(o.ClientID, int64(n))
	topic, partition := o.place(n)
	return &Sent{
		Client: o.Client, ClientID: o.ClientID, Acks: o.acks(), TransactionID: o.transactionID(), Aborted: o.aborted(n),
		Codec: o.Codec, Topic: topic, Partition: partition, Records: 1, Bytes: len(value),
		MessageIDs: []string{id}, Parents: []string{TraceparentOf(id)}, SentNS: time.Now().UnixNano(),
	}
}

// acks that the client asks for: an idempotent one must have all.
func (o *Options) acks() int16 {
	if o.Idempotent || o.Transactions > 0 {
		return -1
	}
	return o.Acks
}

// answered completes a record with what the client was told: an offset, or an
// error with Kafka's number, if it has one.
func (s *Sent) answered(offset int64, code *int16, err error) {
	s.AckNS = nanos(time.Now())
	switch {
	case err != nil:
		s.Error, s.Failure = code, err.Error()
	case s.Acks != 0:
		s.Offset, s.Error = &offset, ptr[int16](0)
	}
}

// draw is the source of the values of a client of ours.
func (o *Options) draw() *rand.Rand { return newRandom(o.Seed) }
