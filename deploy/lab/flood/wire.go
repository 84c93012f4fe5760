package flood

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"

	"github.com/twmb/franz-go/pkg/kmsg"
)

var (
	be = binary.BigEndian
	le = binary.LittleEndian
)

// Offsets in a packet: IPv4 and TCP headers of 20 bytes each (RFC 791, RFC 9293).
const (
	ipLength   = 2
	ipSource   = 12
	ipDest     = 16
	tcpSource  = 20
	tcpDest    = 22
	tcpSeq     = 24
	tcpAck     = 28
	tcpOffset  = 32
	tcpFlags   = 33
	headers    = 40
	flagSYN    = 2
	flagPSH    = 8
	flagACK    = 16
	frameSize  = headers
	apiVersion = headers + 6
)

// packet puts headers before what a segment carries. Nobody checks the sums.
func packet(payload []byte) []byte {
	b := make([]byte, headers, headers+len(payload))
	b[0], b[8], b[9] = 0x45, 64, 6
	be.PutUint16(b[ipLength:], uint16(headers+len(payload)))
	b[tcpOffset], b[tcpFlags] = 5<<4, flagPSH|flagACK
	return append(b, payload...)
}

// toBroker addresses a packet and counts its bytes.
func (k *conn) toBroker(b []byte) {
	address(b, k, true)
	be.PutUint32(b[tcpSeq:], k.in)
	be.PutUint32(b[tcpAck:], k.out)
	k.in += uint32(len(b) - headers)
}

// toClient likewise.
func (k *conn) toClient(b []byte) {
	address(b, k, false)
	be.PutUint32(b[tcpSeq:], k.out)
	be.PutUint32(b[tcpAck:], k.in)
	k.out += uint32(len(b) - headers)
}

func address(b []byte, k *conn, toBroker bool) {
	client, broker := k.addr.Addr().As4(), brokerAddr.Addr().As4()
	if toBroker {
		copy(b[ipSource:], client[:])
		copy(b[ipDest:], broker[:])
		be.PutUint16(b[tcpSource:], k.addr.Port())
		be.PutUint16(b[tcpDest:], brokerAddr.Port())
		return
	}
	copy(b[ipSource:], broker[:])
	copy(b[ipDest:], client[:])
	be.PutUint16(b[tcpSource:], brokerAddr.Port())
	be.PutUint16(b[tcpDest:], k.addr.Port())
}

// requestPacket is a whole request in one packet.
func requestPacket(client string, q kmsg.Request) []byte {
	return packet(kmsg.NewRequestFormatter(kmsg.FormatterClientID(client)).AppendRequest(nil, q, 0))
}

// requestCorrelation and answerCorrelation are where the correlation id stands in
// a packet.
const (
	requestCorrelation = headers + 8
	answerCorrelation  = headers + 4
)

// answerPacket is a whole response in one packet.
func answerPacket(a kmsg.Response) []byte {
	b := make([]byte, 8) // the length and the correlation id
	if a.IsFlexible() {
		b = append(b, 0) // no tagged fields
	}
	b = a.AppendTo(b)
	be.PutUint32(b, uint32(len(b)-4))
	return packet(b)
}

// Offsets in a record batch (Kafka's message format, version 2).
const (
	batchBase    = 0
	batchLength  = 8
	batchEpoch   = 12
	batchMagic   = 16
	batchCRC     = 17
	batchLast    = 23
	batchTimes   = 27
	batchNoOne   = 43 // producer id, epoch and first sequence: -1
	batchRecords = 57
	batchHead    = 61
)

// batch is a record batch as a recording has it: its records are zeros.
func batch(records, bytes int) []byte {
	b := make([]byte, batchHead+bytes)
	be.PutUint32(b[batchLength:], uint32(len(b)-12))
	be.PutUint32(b[batchEpoch:], ^uint32(0))
	b[batchMagic] = 2
	be.PutUint32(b[batchLast:], uint32(records-1))
	be.PutUint64(b[batchTimes:], uint64(beginUnix/1e6))
	be.PutUint64(b[batchTimes+8:], uint64(beginUnix/1e6))
	for i := batchNoOne; i < batchRecords; i++ {
		b[i] = 0xff
	}
	be.PutUint32(b[batchRecords:], uint32(records))
	be.PutUint32(b[batchCRC:], crc32.Checksum(b[batchCRC+4:], crc32.MakeTable(crc32.Castagnoli)))
	return b
}

// within is where one slice of bytes stands in another, in which it must.
func within(b, what []byte) int {
	at := bytes.Index(b, what)
	if at < 0 || bytes.Index(b[at+1:], what) >= 0 {
		panic("flood: a mark does not stand once where it was put")
	}
	return at
}
