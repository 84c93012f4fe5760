package sample

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"

	"github.com/tailspan/tailspan/spans"
)

// index finds the slots of a ring by their ids, which stand in a slice of the
// ring's. It is two hash tables with open addressing, of 4-byte entries, for
// the latest and for an earlier lap of the ring: 16 bytes a slot, where a map
// would copy the id. Nothing is ever removed, for what an entry leads to shows
// whether it still holds; an outlived table is cleared whole. The hash is
// seeded, for an adopted trace's id is its producer's choice; nothing depends
// on the seed but how long a search takes.
type index struct {
	tables [2][]uint32 // slot+1, above it as much of the hash as there is room for; 0: empty
	slots  int
	left   int // of the latest lap
	shift  int // bits of slot+1
	seed   [2]uint64
}

func newIndex(slots int) index {
	size := 2 << bits.Len(uint(slots-1)) // at most half full
	return index{
		tables: [2][]uint32{make([]uint32, size), make([]uint32, size)}, slots: slots, left: slots,
		shift: bits.Len(uint(slots)), seed: [2]uint64{rand.Uint64(), rand.Uint64()},
	}
}

func (x *index) hash(id *spans.TraceID) uint64 {
	hi, lo := bits.Mul64(binary.LittleEndian.Uint64(id[:8])^x.seed[0], binary.LittleEndian.Uint64(id[8:])^x.seed[1])
	return hi ^ lo
}

// find returns the slot of an id, -1 without one. Of several it is the last.
func (x *index) find(ids []spans.TraceID, id *spans.TraceID) int {
	h := x.hash(id)
	for _, table := range x.tables {
		if e := table[x.search(table, ids, id, h)]; e != 0 {
			return x.slot(e)
		}
	}
	return -1
}

// put makes a slot known, the next one of the ring.
func (x *index) put(ids []spans.TraceID, slot int) {
	if x.left == 0 {
		x.tables[0], x.tables[1] = x.tables[1], x.tables[0]
		clear(x.tables[0])
		x.left = x.slots
	}
	x.left--
	h := x.hash(&ids[slot])
	table := x.tables[0]
	table[x.search(table, ids, &ids[slot], h)] = uint32(h>>32)<<x.shift | uint32(slot+1)
}

func (x *index) slot(e uint32) int { return int(e&(1<<x.shift-1)) - 1 }

// search returns where an id's entry is, or else where it belongs.
func (x *index) search(table []uint32, ids []spans.TraceID, id *spans.TraceID, h uint64) int {
	mask := len(table) - 1
	i := int(h) & mask
	for ; table[i] != 0; i = (i + 1) & mask {
		if e := table[i]; e>>x.shift == uint32(h>>32)<<x.shift>>x.shift && ids[x.slot(e)] == *id {
			break
		}
	}
	return i
}
