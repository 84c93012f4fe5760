package sample

import (
	"hash/maphash"
	"math/bits"

	"github.com/tailspan/tailspan/spans"
)

// index finds the slots of ids, which stand in a slice of the caller's. It is
// a hash table of 4-byte entries, at most half full: 8 bytes a slot, where a
// map would copy the id. An adopted trace's id is its producer's choice, hence
// the seed.
type index struct {
	table []uint32 // slot+1; 0: empty
	seed  maphash.Seed
}

func newIndex(slots int) index {
	return index{table: make([]uint32, 2<<bits.Len(uint(slots-1))), seed: maphash.MakeSeed()}
}

func (x *index) home(id *spans.TraceID) int {
	return int(maphash.Bytes(x.seed, id[:])) & (len(x.table) - 1)
}

func (x *index) next(i int) int { return (i + 1) & (len(x.table) - 1) }

// find returns the slot of an id, -1 without one.
func (x *index) find(ids []spans.TraceID, id spans.TraceID) int {
	if len(x.table) == 0 {
		return -1
	}
	for i := x.home(&id); x.table[i] != 0; i = x.next(i) {
		if at := int(x.table[i]) - 1; ids[at] == id {
			return at
		}
	}
	return -1
}

// put makes a slot known. Of several with one id, only the last is found.
func (x *index) put(ids []spans.TraceID, at int) {
	i := x.home(&ids[at])
	for ; x.table[i] != 0; i = x.next(i) {
		if ids[x.table[i]-1] == ids[at] {
			break
		}
	}
	x.table[i] = uint32(at) + 1
}

// remove forgets a slot, whose id must still be there. Those behind it move
// up, so that no search ends too early.
func (x *index) remove(ids []spans.TraceID, at int) {
	hole := x.home(&ids[at])
	for ; x.table[hole] != uint32(at)+1; hole = x.next(hole) {
		if x.table[hole] == 0 {
			return // another slot's with the same id took its place
		}
	}
	mask := len(x.table) - 1
	for i := x.next(hole); x.table[i] != 0; i = x.next(i) {
		if home := x.home(&ids[x.table[i]-1]); (i-home)&mask >= (i-hole)&mask {
			x.table[hole] = x.table[i]
			hole = i
		}
	}
	x.table[hole] = 0
}
