// Package sample keeps or drops whole traces after their end, within a budget,
// and says with what probability.
//
// # What is kept
//
// A request is worth keeping if it took as long as its topic's objective or
// longer, if it failed, or if its cause or root cause is of interest; of the
// rest a uniform share is, and the slowest of each interval are kept though
// nothing else speaks for them. Whatever a kept trace links to is kept, too:
// the holder of the lock that a slow request waited for may itself have been
// quick, and without it the link would lead nowhere. What is no request (a
// commit, a write of nobody's) is kept for that only.
//
// A linked trace can end before or after the one that links to it. So those
// that ended lately are remembered unbuilt for a while: in full where others
// waited for what is in it, and what is no request; as a stub, its summary,
// all other requests. A stub that is asked for is exported as one root span
// (tailspan.stub). Ids that a kept trace asked for in vain are remembered until
// they come. Traces are built only when they are kept.
//
// # The budget
//
// A budget is of spans a second, whatever they were kept for. Each second may
// keep so many traces as that pays for, by what a kept trace with all that it
// links to cost lately; what was spent beyond it is owed. A second's worthy
// candidates compete: they wait for its end, in strata (topic by class: one an
// octave of latency over objective, errors, causes, the rest). Once there are
// more than may be kept, those topics that have most give way to those that
// have less, and so the classes within a topic (max-min fairness); no stratum
// gets fewer than two, for its requests would be missing from every count. Where
// there are more strata than that leaves room for, the later ones are one. What
// a stratum gives up are the candidates of the least randomness. It goes to
// those that may still be linked to, and counts as over budget if nobody does.
//
// The slowest are outside of the competition, there are few of them, but what
// they cost is paid for like all else. Without a budget nothing waits but they.
//
// # Probabilities
//
// OpenTelemetry's: a trace's randomness R is the last 56 bits of its id, its
// stratum has a threshold T, and "ot=th:T" in its tracestate says that it was
// kept because R >= T, which has the probability p = 1 - T/2^56. T is 0 where
// all are kept, the share's for the rest, and where a stratum gave up any, the
// greatest R of those plus 1, if that is more. What was kept for another reason
// (linked to, among the slowest) has no th: nobody knows how probable that was.
// If it would have passed its stratum's threshold it was kept for that.
//
// So the sum of 1/p over kept requests with a th is an unbiased estimate of how
// many there were, by topic, by class or by anything else about them. That is
// rank conditioning (Cohen and Kaplan; priority sampling with equal weights):
// how many a stratum may hold at any moment follows from arrivals and from the
// seconds before, never from the R of what competes, so that, the others' R
// given, a candidate stays if and only if its R is not below a T that does not
// depend on it, and that T is the one it is marked with. (Of the rest only those
// arrive that pass the share; of one that does, the same holds.)
//
// Requests that share an id (a producer's trace that was adopted) share their
// R: they stay or go together, and more of them in one second than their
// stratum may hold go, which no estimate makes up for. A link to them asks for
// the id, and gets the last one that is at hand in full, or else, if none was
// kept, a stub. What Export refuses, and what no trace came of, is missing from
// estimates; it is counted.
//
// # What it knows
//
// Ids, latencies, links, and what a Summary says; not what a trace is about.
// It asks no clock: time is the ends of candidates and Tick, so the same
// sequence is decided the same way. Latencies are durations, times Unix ns.
//
// All is bounded: candidates in full (Options.Keep), stubs (Options.Stubs; 128
// bytes each), ids asked for and ids kept (Options.Keep), candidates that
// compete (what the second may keep and one, never more than 16,384), the
// slowest (1,024), topics that compete for themselves (128), and the drops
// counted by topic and class (1,920 and those of "(other)").
//
// At any moment, for all candidates and for requests alone,
// seen = kept + dropped + pending, each with exactly one fate.
//
// Sources: OpenTelemetry's specification, "TraceState: Probability Sampling"
// and "TraceState Handling"; W3C Trace Context level 2, "Randomness of the
// trace-id"; E. Cohen, H. Kaplan, "Tighter estimation using bottom-k sketches".
package sample
