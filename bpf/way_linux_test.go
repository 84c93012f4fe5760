package bpf

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/cilium/ebpf"
)

// A way that does not attach, or attaches and does not see, is left for the next
// one, and leaves nothing behind; a subject without any is one that is not here,
// and takes no other with it.
func TestWays(t *testing.T) {
	mark := fmt.Sprintf("ways%d", os.Getpid())
	p := open(t, Options{mark: mark})
	before := marked(t, mark)
	works := dirtyInodeWays[len(dirtyInodeWays)-2]
	unseen := works
	unseen.trial = func(*Probes) error { return ErrUnseen }
	absent := way{backend: RawTP, hooks: []hook{{group: "writeback", name: "no_such_event", program: "dirty_inode_end"}}}
	halfway := works
	halfway.backend, halfway.hooks = Kprobe, append(works.hooks[:1:1], absent.hooks...)

	p.attachSubject(subject{"none", []way{absent, halfway, unseen}})
	s := p.Status()[len(p.Status())-1]
	check(t, "attached", s.Attached, false)
	check(t, "tried", len(s.Tried), 3)
	check(t, "absent", errors.Is(s.Tried[0].Err, ErrNotHere) && errors.Is(s.Tried[0].Err, fs.ErrNotExist), true)
	check(t, "halfway", errors.Is(s.Tried[1].Err, ErrNotHere), true)
	check(t, "unseen", errors.Is(s.Err, ErrUnseen), true)
	for end := time.Now().Add(5 * time.Second); marked(t, mark) != before; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("programs and maps left: %d, before: %d", marked(t, mark), before)
		}
	}

	p.attachSubject(subject{"second", []way{unseen, works}})
	s = p.Status()[len(p.Status())-1]
	if !s.Attached {
		t.Skip(s.Err)
	}
	check(t, "backend", s.Backend, works.backend)
	check(t, "tried", len(s.Tried), 1)
	check(t, "error", s.Err, nil)
	check(t, "journal", attached(p, SubjectJournal), true)
}

// What a trial of writes looks for is there when programs are attached, and not
// when they are not.
func TestTrialOfWrites(t *testing.T) {
	p := open(t, Options{})
	needSubject(t, p, SubjectWrite)
	if pid, err := p.hostPID(); err != nil || int(pid) != os.Getpid() {
		t.Skipf("process %d takes itself for %d: %v", os.Getpid(), pid, err)
	}
	check(t, "error", writesAreSeen(p), nil)
	p.mu.Lock()
	err := closeAll(p.links)
	p.links = nil
	p.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	if err := writesAreSeen(p); !errors.Is(err, ErrUnseen) || !errors.Is(err, ErrNotHere) {
		t.Errorf("without programs: %v", err)
	}
}

// An optional hook that loads and does not attach is not kept.
func TestOptionalHook(t *testing.T) {
	mark := fmt.Sprintf("hook%d", os.Getpid())
	p := open(t, Options{mark: mark, see: []string{SubjectBlockIO}})
	before := marked(t, mark)
	misplaced := hook{program: "kprobe_dirty_inode", prepare: func(spec *ebpf.CollectionSpec) error {
		spec.Programs["kprobe_dirty_inode"].AttachTo = "no_such_function"
		return nil
	}}
	w := way{backend: TpBTF, typed: true, hooks: append(programs("btf_dirty_inode_end"), optional(misplaced)...)}
	ok, missing := p.tryWay(w)
	if !ok {
		t.Skip(missing)
	}
	check(t, "missing", missing != nil, true)
	for end := time.Now().Add(5 * time.Second); marked(t, mark) != before+1; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("programs and maps: %d, before: %d", marked(t, mark), before)
		}
	}
}
