package page

// limits bound what a Collector keeps of what it sees.
type limits struct {
	exact      uint64 // latencies of a kind kept as they are, 8 bytes each; beyond it only their histogram is
	traces     int    // built, the linked ones included
	roots      int    // of them, slow ones; the least of each incident beside it
	candidates int    // finished lately and not built: they may be linked to
	incidents  int    // the least costly of more are only counted
	activities int    // of threads, remembered until what they are part of is known: a slow request is told of up to some ten seconds after it
}

var (
	whole = limits{exact: 1 << 22, traces: 3000, roots: 640, candidates: 8192, incidents: 256, activities: 1 << 16}
	// small is for a page of what is going on, beside the broker: 20 MB or so.
	small = limits{exact: 1 << 16, traces: 400, roots: 96, candidates: 2048, incidents: 64, activities: 1 << 13}
)
