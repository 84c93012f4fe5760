package doctor

import "encoding/json"

// State of one check.
type State string

const (
	OK       State = "ok"
	Degraded State = "degraded" // works, but not all of it
	Missing  State = "missing"
)

// Check is one thing that was looked at.
type Check struct {
	Name   string `json:"name"`
	State  State  `json:"state"`
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty"` // the one thing to do about it
}

// Report is what Examine found.
type Report struct {
	Host    []Check  `json:"host"`
	Brokers []Broker `json:"brokers"`
}

// Broker is one broker, and what its traces will show.
type Broker struct {
	PID       int32   `json:"pid"`
	NodeID    int32   `json:"node_id"` // -1: not known
	ClusterID string  `json:"cluster_id"`
	JDK       string  `json:"jdk"`
	Checks    []Check `json:"checks"`
	Spans     []Check `json:"spans"` // by the names of the spans
}

// ExitCode is 0 where all is well, 1 where something is degraded or missing,
// 2 where nothing can be traced.
func (r Report) ExitCode() int {
	code, traceable := 0, false
	each := func(checks []Check) {
		for _, c := range checks {
			if c.State != OK {
				code = 1
			}
		}
	}
	each(r.Host)
	for _, b := range r.Brokers {
		each(b.Checks)
		each(b.Spans)
		for _, c := range b.Spans {
			traceable = traceable || c.State != Missing
		}
	}
	if !traceable {
		return 2
	}
	return code
}

// JSON is the report as one indented object.
func (r Report) JSON() ([]byte, error) {
	b, err := json.MarshalIndent(r, "", "  ")
	return append(b, '\n'), err
}
