package metrics

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
)

// contract are the names that dashboards and rules are made of, with their labels.
var contract = map[string]string{
	"tailspan_produce_duration_seconds":              "broker topic",
	"tailspan_request_queue_duration_seconds":        "broker",
	"tailspan_replication_wait_duration_seconds":     "broker",
	"tailspan_write_duration_seconds":                "broker",
	"tailspan_ext4_dirty_inode_duration_seconds":     "broker",
	"tailspan_fsync_duration_seconds":                "broker",
	"tailspan_monitor_wait_duration_seconds":         "broker",
	"tailspan_park_wait_duration_seconds":            "broker",
	"tailspan_journal_commit_duration_seconds":       "device",
	"tailspan_journal_commit_phase_duration_seconds": "device phase",
	"tailspan_jvm_pause_duration_seconds":            "broker kind",
	"tailspan_produce_duration_max_seconds":          "broker",
	"tailspan_write_duration_max_seconds":            "broker",
	"tailspan_journal_commit_duration_max_seconds":   "device",
	"tailspan_slow_requests_total":                   "broker cause root_cause topic",
	"tailspan_slow_seconds_total":                    "broker cause root_cause topic",
	"tailspan_produce_bytes_total":                   "broker topic",
	"tailspan_produce_records_total":                 "broker topic",
	"tailspan_produce_errors_total":                  "broker error topic",
	"tailspan_topics":                                "",
	"tailspan_other_topics_requests_total":           "",
	"tailspan_requests_seen_total":                   "",
	"tailspan_requests_exported_total":               "",
	"tailspan_requests_sampled_out_total":            "",
	"tailspan_requests_pending":                      "",
	"tailspan_requests_dropped_total":                "reason stage",
	"tailspan_traces_total":                          "fate",
	"tailspan_traces_kept_total":                     "why",
	"tailspan_spans_exported_total":                  "",
	"tailspan_export_queue_spans":                    "",
	"tailspan_export_queue_disk_bytes":               "",
	"tailspan_export_failures_total":                 "",
	"tailspan_lost_total":                            "what",
	"tailspan_probe_up":                              "backend probe",
	"tailspan_brokers":                               "",
	"tailspan_jvms_unwatched":                        "",
	"tailspan_build_info":                            "version",
}

func TestNamesAndLabels(t *testing.T) {
	m := New(Options{Version: "v1", SLO: objective})
	full(m)
	all := scrape(t, serve(t, m), acceptProtobuf)
	for name, labels := range contract {
		if got := labelNames(all[name]); got == nil || strings.Join(got, " ") != labels {
			t.Errorf("%s has labels %v, want %s", name, got, labels)
		}
	}
	for name := range all {
		if _, known := contract[name]; !known && strings.HasPrefix(name, "tailspan_") {
			t.Errorf("%s is not in the contract", name)
		}
	}
	for _, name := range []string{"process_resident_memory_bytes", "process_cpu_seconds_total", "go_goroutines"} {
		if all[name] == nil {
			t.Errorf("no %s", name)
		}
	}
}

func labelNames(f *dto.MetricFamily) []string {
	if f == nil {
		return nil
	}
	names := map[string]bool{}
	for _, m := range f.Metric {
		for _, l := range m.Label {
			names[l.GetName()] = true
		}
	}
	return append([]string{}, slices.Sorted(maps.Keys(names))...)
}

func TestLint(t *testing.T) {
	m := New(Options{Version: "v1", SLO: objective})
	full(m)
	_, text := fetch(t, serve(t, m), acceptText)
	problems, err := promlint.New(bytes.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "tailspan_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

func TestDescriptionsAreValid(t *testing.T) {
	m := New(Options{})
	full(m)
	if _, err := m.Registry().Gather(); err != nil {
		t.Error(err)
	}
}
