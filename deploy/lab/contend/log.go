package contend

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Log is what the threads of a run wrote down.
type Log struct {
	Threads []Thread
	Holds   [][]Hold // of each lock, in the order in which it was held
	of      [][]Hold // of each thread, likewise
}

// Thread is one of the program.
type Thread struct {
	TID     int32 // the kernel's; of a virtual thread that of its first carrier
	Name    string
	Blocked int64 // enters that waited, as the JVM counts
}

// Hold is one stay of a thread inside a lock. Times are CLOCK_MONOTONIC, in
// nanoseconds, as the thread saw them: before it asked, when it was in, and
// before it left.
type Hold struct {
	Thread               int // index
	Lock                 int
	Asked, Got, Released int64
}

func readLog(file string) (*Log, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	l := &Log{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if err := l.take(strings.Split(lines.Text(), "\t")); err != nil {
			return nil, fmt.Errorf("read %s: %q: %w", file, lines.Text(), err)
		}
	}
	for _, holds := range slices.Concat(l.Holds, l.of) {
		slices.SortFunc(holds, func(a, b Hold) int { return cmp.Compare(a.Got, b.Got) })
	}
	return l, lines.Err()
}

// take reads a line: thread INDEX TID BLOCKED NAME, or hold INDEX LOCK ASKED
// GOT RELEASED.
func (l *Log) take(fields []string) error {
	var n [5]int64
	numbers := fields[1:]
	if fields[0] == "thread" {
		numbers = fields[1:4]
	}
	for i, text := range numbers {
		var err error
		if n[i], err = strconv.ParseInt(text, 10, 64); err != nil {
			return err
		}
	}
	if fields[0] == "thread" {
		l.Threads = append(l.Threads, Thread{TID: int32(n[1]), Blocked: n[2], Name: fields[4]})
		l.of = append(l.of, nil)
		return nil
	}
	h := Hold{Thread: int(n[0]), Lock: int(n[1]), Asked: n[2], Got: n[3], Released: n[4]}
	for len(l.Holds) <= h.Lock {
		l.Holds = append(l.Holds, nil)
	}
	l.Holds[h.Lock] = append(l.Holds[h.Lock], h)
	l.of[h.Thread] = append(l.of[h.Thread], h)
	return nil
}

// Blocked is how often its threads waited.
func (l *Log) Blocked() (sum int64) {
	for _, t := range l.Threads {
		sum += t.Blocked
	}
	return sum
}
