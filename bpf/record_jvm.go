package bpf

// ThreadStart says that a Java thread has begun to run: the record's TID
// (hotspot:thread__start).
type ThreadStart struct {
	JavaThread int64
	Name       []byte // at most 128 bytes of modified UTF-8, whole or cut
}

// Park is one stay of a thread in LockSupport.park; it ended at the record's
// Time.
type Park struct {
	Start  int64
	Woken  int64  // when it was given the permit, or could run again; 0: not seen
	Waker  int32  // the thread that did that; 0: not seen
	Futex  uint32 // what it slept on, as the kernel sees it; 0: not known
	Timed  bool   // it had a time limit
	Kernel bool   // seen as a wait for a futex, not by HotSpot's probes
	Comm   []byte
}

// VM is one operation of the VM's own thread (hotspot:vmops__begin, …end), or
// one GC (hotspot:gc__begin, …end); it ended at the record's Time.
type VM struct {
	Start      int64
	Name       []byte // of an operation, as HotSpot names it: G1CollectForAllocation
	Concurrent bool   // without a safepoint
	Full       bool   // of a GC
}
