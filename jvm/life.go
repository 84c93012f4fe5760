package jvm

// lifeProbes of the provider "hotspot": they fire without any flag.
//
//	thread__start  name, its length, Java's thread id, the kernel's, whether it is a daemon; fires in the new thread
//	vmops__begin   name, its length, how it is done: 0 at a safepoint, 1 without one; fires in the VM thread
//	vmops__end     likewise
//	gc__begin      whether it is a full GC
//	gc__end        nothing
//
// JDK 11 knows two more modes of an operation: 2, concurrently, and 3, at a
// safepoint that nobody waits for. An operation begins when the threads have
// reached the safepoint: how long that took is not in it.
//
// Sources: runtime/javaThread.cpp (DTRACE_THREAD_PROBE; 11: thread.cpp),
// runtime/vmThread.cpp (VMThread::evaluate_operation), JDK 11's
// runtime/vm_operations.hpp (VM_Operation::Mode), gc/shared/gcVMOperations.cpp
// (VM_GC_Operation::notify_gc_begin).
var lifeProbes = []string{"thread__start", "vmops__begin", "vmops__end", "gc__begin", "gc__end"}

// LifeSites are the sites of hotspot's probes of starting threads, of operations
// of the VM thread, and of GCs, those that the library has: JDK 17 has 5, JDK 11
// 13, for the compiler puts copies of a function into its callers. None at all is
// ErrNoProbes.
func LifeSites(libjvm string) ([]Probe, error) { return Probes(libjvm, "hotspot", lifeProbes...) }
