// Package sample keeps or drops whole traces.
//
// A trace is kept if it took as long as the objective (--slo) or longer, or if
// a kept trace links to it: the holder of the lock that a slow request waited
// for may itself have been quick, and without it the link would lead nowhere.
// A linked trace can end before or after the one that links to it, so those
// that ended lately are remembered unbuilt for a while (candidates), and ids
// that a kept trace asked for in vain are remembered until they arrive.
//
// It knows ids, latencies and links, and asks no clock: "a while" is a number of
// candidates. It does not know what a trace is about; traces are built only
// when they are kept. A link to a trace that is nobody's here (of a producer)
// costs a place among the ids asked for.
//
// At any moment seen = kept slow + kept linked + dropped + pending.
package sample
