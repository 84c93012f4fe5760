package jfr

// monitorEnter is the type of the events that are read.
const monitorEnter = "jdk.JavaMonitorEnter"

// Wait is an event jdk.JavaMonitorEnter: a thread waited for a Java monitor, and
// got it. Its strings may be kept, itself it is reused.
type Wait struct {
	Start, End int64 // Unix ns
	Thread     Thread
	Owner      Thread // the last that released the monitor; zero: not known
	Class      string // of the object: java/lang/Object
	Address    uint64 // of the monitor (HotSpot's ObjectMonitor) or, by async-profiler, of the object; 0: not known
}

// Thread is a thread as JFR knows it.
type Thread struct {
	OSID   int64  // its number for the kernel, in the JVM's own pid namespace; 0: it had none (a virtual thread)
	JavaID int64  // java.lang.Thread.threadId(); 0: not a Java thread
	Name   string // of the Java thread, in full
}

// known says whether there is a thread at all.
func (t *Thread) known() bool { return *t != Thread{} }

// Stats counts the events of a file.
type Stats struct {
	Events   uint64 // all
	Others   uint64 // of other types
	NoThread uint64 // waits that do not say whose they are
	Broken   uint64 // waits without a time, or with one that cannot be
}
