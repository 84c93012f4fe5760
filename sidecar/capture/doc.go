// Package capture turns packets, live from AF_PACKET or from a pcap or pcapng
// file, into TCP streams, those into Kafka frames, and those into events.
//
// It knows links, IP, TCP and which listener belongs to which process; what
// the bytes of a frame mean it asks package kafka. It knows nothing of probes,
// spans or the layout of recordings: whoever records is handed packets that
// are redacted already.
//
// Times are the packets' own stamps, Unix nanoseconds; Options.Clock gives the
// same instants on the one clock. A Decoder never asks what time it is: what
// expires does so by stamps, at multiples of a tenth of a second, so the same
// packets give the same events, live or replayed. A byte's time is that of its
// packet, or of an earlier byte's packet if that one was later: bytes count
// from when everything before them had been seen.
//
// Bytes that were missed inside a record batch cost nothing, for records are
// passed over by length. Elsewhere the half of the connection loses its frame
// boundaries, and the frame that was being read is given up. A boundary is
// accepted again only on evidence; joining in the middle of a connection is
// the same case. What is in flight still waits: the first response behind the
// hole tells which requests were passed over. Packets that are dropped (seen
// before, or too much was waiting) are not recorded, so that a replay does not
// meet them.
//
// Facts: RFC 9293 (TCP), 8200 (IPv6), the LINKTYPE_ list of tcpdump.org,
// draft-ietf-opsawg-pcapng, Documentation/networking/packet_mmap.rst.
package capture
