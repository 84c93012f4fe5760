// Package recording keeps what was captured in a plain pcapng file that
// Wireshark opens, and plays it back.
//
// Interface 0 holds the packets (raw IP, redacted by capture before they come
// here), interface 1 the probe records as they left the ring buffer (link type
// USER0), interface 2 the facts that replay needs and no packet carries, as
// JSON (link type USER1). Blocks stand in the order in which the live pipeline
// took them, so replay takes them in the same order.
//
// It knows the file and the facts, and nothing of what is in a packet or a
// probe record. The format is draft-ietf-opsawg-pcapng's: section header,
// interface description and enhanced packet blocks, little-endian, stamps in
// nanoseconds.
package recording
