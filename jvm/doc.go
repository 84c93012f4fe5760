// Package jvm knows the broker's process from outside: which processes of
// this host are Kafka brokers, where they listen and keep their logs, which
// probes their libjvm.so carries and whether the probe flag is on.
//
// It reads /proc and files, never stops a process, and knows nothing of BPF,
// spans or the pipeline. It does more in two cases: a Ledger that is asked to
// switches the probe flag of a running JVM, one byte of its memory, and puts it
// back (setflag.go, ledger.go, repair.go); Threads asks a JVM for its threads'
// names over HotSpot's attach socket (attach.go). Everything that it reads
// belongs to someone else: each length meets a named bound, and of the
// configuration and the environment only the few settings named in
// properties.go and flags.go are ever kept.
//
// The functions take the root of the proc file system first ("/proc", or
// where a container has the host's). Paths that they return can be opened by
// the caller: those of another mount namespace lead through /proc/PID/root.
// All need the rights of ptrace over the process (same uid, or
// CAP_SYS_PTRACE); without them a Broker lists what is missing in Problems.
//
// Sources: proc(5); the stapsdt note format (SystemTap wiki, "UserSpaceProbe-
// Implementation"); HotSpot's vmStructs.hpp, jvmFlag.hpp, dtrace/hotspot.d and
// attachListener_posix.cpp, the JDK's VirtualMachineImpl.java;
// Kafka's SocketServerConfigs and MetaProperties.
package jvm
