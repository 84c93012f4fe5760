// Package page makes one HTML page of what was recorded: latency over time,
// percentiles, what made requests slow, the stalls, and the waterfalls of the
// slowest requests; and another one that compares recordings.
//
// A Collector is the assembler's Output. It aggregates while rows come in and is
// bounded (limits.go) whatever their number: latencies are kept singly up to 4 Mi
// of a kind (32 MiB) and as a histogram beyond it, time has 1,024 columns that
// double in width, 256 incidents are told apart, some 1,400 slow traces at most are
// kept with what they link to; a small one, beside a broker, keeps less. Counts,
// sums and maxima are exact in any case; percentiles are nearest ranks, exact up to
// that bound, and within HistogramError beyond it.
//
// It knows the rows of package assemble and spans.Trace, takes no decision but
// the objective, and asks no clock. Times are Unix nanoseconds where they come
// in, and nanoseconds from the page's origin in what goes out: JavaScript's
// numbers hold 104 days of these exactly.
//
//	latencies.go   percentiles             timeline.go    columns of time
//	tally.go       causes, topics, threads
//	incidents.go   stalls                  activity.go    what threads did in them
//	keeper.go      traces                  collector.go, offered.go   all of these
//	page.go        what a page holds       incident.go, held.go, lanes.go, trace.go, encode.go   parts of it
//	html.go        the file                compare.go     several recordings
//	interval.go    how sure a figure is
//	assets         the page's script and style; vendor.sh brings uPlot
//
// # What goes into a page
//
// Names from the wire (topics, client ids, threads) are hostile until proven
// otherwise. They go into the page as JSON, in which <, >, & and the line
// separators are escaped, so that no text ends the element; the script puts them
// into the document as text only; and the page's policy allows no script and no
// style but its own, by their hashes, and no network at all. No record's value or
// key is in it: the recording has none.
package page
