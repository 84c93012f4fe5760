package sample

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"

	"github.com/tailspan/tailspan/spans"
)

// index finds the slots of ids, which stand in a slice of the caller's. It is
// a hash table with open addressing, at most half full: 16 bytes a slot, where
// a map would copy the id. The hash is seeded, for an adopted trace's id is its
// producer's choice; nothing depends on it but how long a search takes.
type index struct {
	table []entry
	seed  [2]uint64
}

// entry has its hash beside it, so that other slots' ids are seldom looked at.
type entry struct {
	slot uint32 // plus 1; 0: empty
	hash uint32
}

func newIndex(slots int) index {
	return index{table: make([]entry, 2<<bits.Len(uint(slots-1))), seed: [2]uint64{rand.Uint64(), rand.Uint64()}}
}

func (x *index) hash(id *spans.TraceID) uint32 {
	hi, lo := bits.Mul64(binary.LittleEndian.Uint64(id[:8])^x.seed[0], binary.LittleEndian.Uint64(id[8:])^x.seed[1])
	return uint32(hi ^ lo)
}

func (x *index) at(i int) int { return i & (len(x.table) - 1) }

// find returns the slot of an id, -1 without one.
func (x *index) find(ids []spans.TraceID, id *spans.TraceID) int {
	if len(x.table) == 0 {
		return -1
	}
	h := x.hash(id)
	for i := x.at(int(h)); x.table[i].slot != 0; i = x.at(i + 1) {
		if e := x.table[i]; e.hash == h && ids[e.slot-1] == *id {
			return int(e.slot) - 1
		}
	}
	return -1
}

// put makes a slot known, and returns the one that was known by its id before,
// -1 for none: of several, only the last is found.
func (x *index) put(ids []spans.TraceID, slot int) (before int) {
	h := x.hash(&ids[slot])
	i := x.at(int(h))
	before = -1
	for ; x.table[i].slot != 0; i = x.at(i + 1) {
		if e := x.table[i]; e.hash == h && ids[e.slot-1] == ids[slot] {
			before = int(e.slot) - 1
			break
		}
	}
	x.table[i] = entry{uint32(slot) + 1, h}
	return before
}

// remove forgets a slot, whose id must still be there. Those behind it move
// up, so that no search ends too early.
func (x *index) remove(ids []spans.TraceID, slot int) {
	hole := x.at(int(x.hash(&ids[slot])))
	for ; x.table[hole].slot != uint32(slot)+1; hole = x.at(hole + 1) {
		if x.table[hole].slot == 0 {
			return // another slot's with the same id took its place
		}
	}
	for i := x.at(hole + 1); x.table[i].slot != 0; i = x.at(i + 1) {
		if home := int(x.table[i].hash); x.at(i-home) >= x.at(i-hole) {
			x.table[hole] = x.table[i]
			hole = i
		}
	}
	x.table[hole] = entry{}
}
