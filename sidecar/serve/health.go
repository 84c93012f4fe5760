package serve

import (
	"encoding/json"
	"net/http"
	"time"
)

// Health is what a Server tells of the sidecar.
type Health struct {
	Probes   []Probe  `json:"probes"`
	Exporter Exporter `json:"exporter"`
}

// Probe is one kind of probe.
type Probe struct {
	Name    string `json:"name"`
	Backend string `json:"backend"` // that serves it; "": none
	Up      bool   `json:"up"`
}

// Exporter is how the sending of traces does.
type Exporter struct {
	State  string `json:"state"`            // "off", "ok", "retrying", …: the exporter's own word
	Up     bool   `json:"up"`               // off is up
	Detail string `json:"detail,omitempty"` // the last error
}

// healthReport is the answer of /healthz: fields are added, never renamed.
type healthReport struct {
	Status   string         `json:"status"` // ok | degraded | failing
	Problems []string       `json:"problems"`
	Version  string         `json:"version"`
	Since    time.Time      `json:"since"`
	Brokers  []brokerReport `json:"brokers"`
	Health
}

type brokerReport struct {
	PID     int32     `json:"pid"`
	Node    *int32    `json:"node"`
	Cluster string    `json:"cluster"`
	Since   time.Time `json:"since"`
}

// health answers 503 where the sidecar does not do its work at all: it traces no
// broker, none of its probes is up, or its traces do not get out. That a probe
// is missing is degraded, and 200: a kernel may not have it. None of it is cured
// by a restart: it is for watching, and no liveness probe.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	r := healthReport{Status: "ok", Problems: []string{}, Version: s.o.Version, Since: s.since.UTC(), Brokers: []brokerReport{}}
	for _, b := range s.o.Brokers() {
		r.Brokers = append(r.Brokers, brokerReport{b.PID, known(b.Node), b.Cluster, s.sinceOf(&b).UTC()})
	}
	r.Exporter = Exporter{State: "unknown", Up: true}
	if s.o.Health != nil {
		r.Health = s.o.Health()
	}
	if r.Probes == nil {
		r.Probes = []Probe{}
	}
	r.judge()
	status := http.StatusOK
	if r.Status == "failing" {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, r)
}

func (r *healthReport) judge() {
	up := 0
	for _, p := range r.Probes {
		if p.Up {
			up++
			continue
		}
		r.say("degraded", "probe "+p.Name+" is not up")
	}
	if len(r.Brokers) == 0 {
		r.say("failing", "no broker is traced")
	}
	if len(r.Probes) > 0 && up == 0 {
		r.say("failing", "no probe is up")
	}
	if !r.Exporter.Up {
		r.say("failing", "traces do not get out")
	}
}

func (r *healthReport) say(status, problem string) {
	if r.Status != "failing" {
		r.Status = status
	}
	r.Problems = append(r.Problems, problem)
}

// sinceOf is from when on a broker is traced.
func (s *Server) sinceOf(b *Broker) time.Time {
	if b.Since.IsZero() {
		return s.since
	}
	return b.Since
}

// known is nil for a number that is not.
func known(n int32) *int32 {
	if n < 0 {
		return nil
	}
	return &n
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false) // it is never taken for HTML: nosniff
	_ = e.Encode(v)        // the client is gone
}
