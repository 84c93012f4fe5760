package event

// WaitSource says how a wait for a Java monitor was seen.
type WaitSource string

// The sources of waits.
const (
	SourceUSDT     WaitSource = "usdt"     // HotSpot's monitor probes
	SourceFunction WaitSource = "function" // entries of libjvm's own functions: the class is not known
	SourceJFR      WaitSource = "jfr"      // a JFR recording, by thread and time
)

// MonitorEnter: the thread found a Java monitor held and starts to wait
// (hotspot:monitor__contended__enter).
type MonitorEnter struct {
	Time Time
	Thread
	Monitor uint64 // the ObjectMonitor's address
	Class   string // as HotSpot has it: java/lang/Object; "" not known
	Source  WaitSource
}

// MonitorEntered: the thread that waited has it now
// (hotspot:monitor__contended__entered).
type MonitorEntered struct {
	Time Time
	Thread
	Monitor uint64
}

// MonitorExit: the thread gave up a monitor that others wait for
// (hotspot:monitor__contended__exit).
type MonitorExit struct {
	Time Time
	Thread
	Monitor uint64
}

// Park is one stay of a thread in LockSupport.park.
type Park struct {
	Start, End Time
	Woken      Time // when it was given the permit, or could run again; 0: not seen
	Thread
	Waker  Thread // who did that; TID 0: not seen
	Futex  uint32 // what it slept on, by which the sleeps of one thread can be told apart; of a kernel's park
	Timed  bool   // it had a time limit
	Kernel bool   // seen as a wait for a futex, not by HotSpot's probes
}

// Pause is an operation of the VM, or a GC, that stopped the Java threads of a
// process.
type Pause struct {
	Start, End Time
	Thread            // the VM's own thread
	GC         bool   // hotspot:gc__begin, …end; else vmops__begin, …end
	Name       string // of an operation, as HotSpot has it: G1CollectForAllocation
	Full       bool   // of a GC
}

// MonitorsWatched says that the waits of a process are seen from this moment
// on, or are not, because they were too many (see sidecar/govern.go).
type MonitorsWatched struct {
	Time Time
	PID  int32
	On   bool
}
