// Package prometheus runs a real Prometheus, and asks it what Grafana would.
//
// The programs are the distribution's (Debian 12: 2.42), where native
// histograms and exemplars are features to be switched on. With the former it
// scrapes protobuf and stores native histograms instead of classic ones, and,
// before 2.46, one exemplar a series and scrape: that of the lowest bucket.
// promtool checks rules and tests them.
//
// It listens on loopback, and dies with us. Times are those of the API: Unix
// seconds, to the millisecond.
package prometheus
