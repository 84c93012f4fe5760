// Package observe tests the way from the dashboard to the trace: what deploy/
// has for Prometheus, Grafana, the Collector and Tempo, with the real programs
// where they can be had.
//
//	rules      promtool checks and tests the rules
//	dashboard  what can be known of the dashboard without data
//	live       a real Prometheus scrapes a real tailspan beside a real broker: every
//	           query of the dashboard and every rule gives data, and an exemplar
//	           leads to its trace in a real Jaeger (root)
//	collector  Jaeger's binary, which is a Collector, with the fleet's configuration
//	traceql    the queries of deploy/tempo in the grammar of Grafana's editor
//
// Nothing here has a copy of what it tests: the files of deploy/ are read, and
// only addresses, and times where that is said, are put in their place.
package observe
