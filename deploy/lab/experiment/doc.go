// Package experiment repeats the study that the blog post "Unlocking Kafka's
// Potential: Tackling Tail Latency with eBPF" ends with: one broker, one load and
// one slow disk, whose stalls come at the same moments each time, under each of six
// settings of the file system, several rounds of all. Rounds are interleaved, so
// that what changes on the machine falls on all settings alike.
//
// Each measurement begins with a new disk and a new broker, and leaves a recording
// of tailspan's and a few facts in the state directory; what is there is not
// measured again. The figures are `tailspan compare`'s, of all rounds together and of
// each.
//
//	setting.go   the six                     plan.go     what is measured, in which order, and what of it there is
//	measure.go   one measurement             journal.go  whether a setting is in effect, and what the journal did
//	compare.go   the figures of all          table.go    the tables
package experiment
