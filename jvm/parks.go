package jvm

// parkProbes of the provider "hotspot": they fire without any flag, in every thread.
//
//	thread__park__begin  the thread's Parker, whether its time limit is an instant, the limit, 0 none
//	thread__park__end    the Parker
//	thread__unpark       the Parker of the thread that is let go on; fires in the one that does so
//
// Sources: prims/unsafe.cpp (Unsafe_Park, Unsafe_Unpark).
var parkProbes = []string{"thread__park__begin", "thread__park__end", "thread__unpark"}

// ParkSites are the sites of hotspot's probes of LockSupport.park, those that the
// library has. None at all is ErrNoProbes.
func ParkSites(libjvm string) ([]Probe, error) { return Probes(libjvm, "hotspot", parkProbes...) }
