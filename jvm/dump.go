package jvm

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A thread dump begins with the list of the JavaThreads' addresses
// (ThreadsSMRSupport::print_info_on), and has a record of each in that order
// (Threads::print_on), after an empty line:
//
//	"main" #1 prio=5 os_prio=0 cpu=54.68ms elapsed=0.07s tid=0x00007f… nid=0x6ce9 runnable  […]
//	"main" #1 [28680] prio=5 os_prio=0 cpu=… elapsed=… tid=0x00007f… nid=28680 runnable  […]
//
// the latter from JDK 21 on. A name is printed as it is, and may hold anything,
// a whole record of another thread, too. What it cannot do is take away that
// one's own: so an address with two records is believed in neither.
const (
	listBegin   = "\n_java_thread_list=0x"
	elements    = ", elements={\n"
	recordBegin = "\n\n\""
	beforeTID   = " tid=0x"
	beforeNID   = " nid="
)

var errDump = errors.New("no thread dump that is understood")

// mention is one place in a dump that names a JavaThread's address and its
// thread id.
type mention struct {
	times int
	at    int   // of beforeTID, the first time
	end   int   // behind the id
	nid   int32 // in the JVM's pid namespace
}

// parseDump are the names of Java threads by their ids in the JVM's pid
// namespace; doubtful counts those that are left out.
func parseDump(b []byte) (names map[int32]string, doubtful int, err error) {
	order, at, err := parseList(b)
	if err != nil {
		return nil, 0, err
	}
	found := make(map[uint64]*mention, len(order))
	for _, address := range order {
		found[address] = &mention{}
	}
	mentions(b, at, found)
	names = make(map[int32]string, len(order))
	sure := true // that at is within the record before
	for _, address := range order {
		m := found[address]
		if m.times != 1 || m.at < at {
			doubtful++
			sure = false
			continue
		}
		name, ok := nameBefore(b[at:m.at], sure)
		if _, twice := names[m.nid]; twice || !ok || m.nid <= 0 {
			doubtful++
		} else {
			names[m.nid] = JavaText(name)
		}
		at, sure = m.end, true
	}
	return names, doubtful, nil
}

// parseList reads the addresses; end is the place behind them.
func parseList(b []byte) (order []uint64, end int, err error) {
	i := bytes.Index(b, []byte(listBegin))
	j := i + bytes.Index(b[max(i, 0):], []byte(elements))
	if i < 0 || j < i {
		return nil, 0, fmt.Errorf("%w: no list of threads", errDump)
	}
	j += len(elements)
	n := bytes.IndexByte(b[j:], '}')
	if n < 0 || n > 32*maxThreads {
		return nil, 0, fmt.Errorf("%w: its list of threads has no end", errDump)
	}
	for word := range strings.FieldsFuncSeq(string(b[j:j+n]), func(r rune) bool { return r == ',' || r == ' ' || r == '\n' }) {
		address, err := strconv.ParseUint(word, 0, 64)
		if err != nil {
			return nil, 0, fmt.Errorf("%w: its list of threads: %w", errDump, err)
		}
		if order = append(order, address); len(order) > maxThreads {
			return nil, 0, fmt.Errorf("%w: more than %d threads", errDump, maxThreads)
		}
	}
	return order, j + n, nil
}

// mentions notes every place that names one of the addresses.
func mentions(b []byte, at int, found map[uint64]*mention) {
	for {
		i := bytes.Index(b[at:], []byte(beforeTID))
		if i < 0 {
			return
		}
		start := at + i
		at = start + len(beforeTID)
		address, n := number(b[at:], 16)
		m := found[address]
		if m == nil || !bytes.HasPrefix(b[at+n:], []byte(beforeNID)) {
			continue
		}
		if m.times++; m.times > 1 {
			continue
		}
		m.at = start
		at += n + len(beforeNID)
		base := 10 // from JDK 20 on
		if bytes.HasPrefix(b[at:], []byte("0x")) {
			at += 2
			base = 16
		}
		nid, n := number(b[at:], base)
		if nid < 1<<31 {
			m.nid = int32(nid)
		}
		at += n
		m.end = at
	}
}

// number reads digits; n is how many bytes of them there are, 0 for none or
// too many.
func number(b []byte, base int) (value uint64, n int) {
	for n < len(b) && n < 20 && strings.IndexByte("0123456789abcdef"[:base], b[n]) >= 0 {
		n++
	}
	value, err := strconv.ParseUint(string(b[:n]), base, 64)
	if err != nil {
		return 0, 0
	}
	return value, n
}

// nameBefore is the name in the part of a dump that lies before an address:
// the rest of the record before, which has no empty line, an empty line, the
// name in quotes, and attributes, which have none. Where the record before is
// in doubt, it begins as late as it can.
func nameBefore(b []byte, sure bool) (name []byte, ok bool) {
	close := bytes.LastIndexByte(b, '"')
	if close < 0 || !bytes.HasPrefix(b[close+1:], []byte(" #")) {
		return nil, false
	}
	begin := bytes.Index(b[:close], []byte(recordBegin))
	if !sure {
		begin = bytes.LastIndex(b[:close], []byte(recordBegin))
	}
	if begin < 0 {
		return nil, false
	}
	return b[begin+len(recordBegin) : close], true
}
