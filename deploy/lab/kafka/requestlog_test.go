package kafka

import (
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

// The lines that TestVersions had these brokers write: a produce request by
// SASL_SSL, one with acks=0, and a metadata request.
func TestReadRequestLog(t *testing.T) {
	for v, want := range map[Version]struct {
		version     int16
		topic       string
		correlation [3]int32
		total       time.Duration
		client      string
	}{
		V2_8: {9, "orders", [3]int32{4, 2, 2}, 1871 * time.Microsecond, "127.0.0.1:44112"},
		V3_9: {11, "orders", [3]int32{4, 2, 2}, 2835 * time.Microsecond, "127.0.0.1:40148"},
		V4_1: {13, "", [3]int32{4, 2, 2}, 6757 * time.Microsecond, "127.0.0.1:59108"},
		V4_4: {13, "", [3]int32{3, 1, 1}, 2001 * time.Microsecond, "127.0.0.1:34608"},
	} {
		var all []Request
		for r, err := range ReadRequestLog("testdata/request-" + string(v) + ".log") {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, r)
		}
		if len(all) != 3 {
			t.Fatalf("%s: %d requests", v, len(all))
		}
		for i, r := range all {
			if r.CorrelationID != want.correlation[i] || r.Logged.Year() != 2026 || !r.Broker.Addr().IsLoopback() {
				t.Errorf("%s: %+v", v, r)
			}
			sum := r.RequestQueue + r.Local + r.Remote + r.ResponseQueue + r.Send
			if r.Total < sum || r.Total > sum+5*time.Microsecond { // each is cut to a microsecond
				t.Errorf("%s: total %s, but its parts are %s", v, r.Total, sum)
			}
		}
		tls, unanswered, other := all[0], all[1], all[2]
		if tls.APIVersion != want.version || tls.Total != want.total || tls.Client != netip.MustParseAddrPort(want.client) ||
			tls.ClientID != "SASL_SSL PLAIN" || tls.Protocol != SASLSSL || tls.APIName != "PRODUCE" {
			t.Errorf("%s: %+v", v, tls)
		}
		p := tls.Produce.Partitions[0]
		if want.topic != "" && p.Topic != want.topic || len(p.Topic) == 0 || p.Bytes != 73 || p.BaseOffset != 5 || !p.Answered || tls.Produce.Acks != -1 {
			t.Errorf("%s: %+v", v, tls.Produce)
		}
		p = unanswered.Produce.Partitions[0]
		if p.BaseOffset != -1 || p.Answered || unanswered.Produce.Acks != 0 {
			t.Errorf("%s: %+v", v, unanswered.Produce)
		}
		if other.Produce != nil || other.APIKey != 3 {
			t.Errorf("%s: %+v", v, other)
		}
	}
}

func TestParseRequestRefuses(t *testing.T) {
	for _, line := range []string{
		"", "Completed request:{}", "2026-11-23T08:55:48.529Z Completed request:{",
		"yesterday Completed request:{}", `2026-11-23T08:55:48.529Z Completed request:{"connection":"x"}`,
		`2026-11-23T08:55:48.529Z Completed request:{"connection":"1.2.3.4:5-6-7"}`,
		`2026-11-23T08:55:48.529Z Completed request:{"connection":"1.2.3.4:5-1.2.3.4:6-7","request":[]}`,
	} {
		if r, err := parseRequest(line); err == nil || !reflect.DeepEqual(r, Request{}) {
			t.Errorf("%q gave %+v, %v", line, r, err)
		}
	}
	for r, err := range readRequestLog(strings.NewReader("x\n")) {
		if !errors.Is(err, errNoRequest) || r.Produce != nil {
			t.Errorf("%+v, %v", r, err)
		}
	}
	if broker, client, err := parseConnection("0:0:0:0:0:0:0:1:9092-127.0.0.1:1-0"); err != nil ||
		broker != netip.MustParseAddrPort("[::1]:9092") || client != netip.MustParseAddrPort("127.0.0.1:1") {
		t.Errorf("%v, %v, %v", broker, client, err)
	}
}

func TestParseProduceRequests(t *testing.T) {
	const out = `Trying to connect to JMX url: service:jmx:rmi:///jndi/rmi://127.0.0.1:1/jmxrmi
kafka.network:type=RequestMetrics,name=RequestsPerSec,request=Produce,version=9:Count=17
kafka.network:type=RequestMetrics,name=RequestsPerSec,request=Produce,version=13:Count=4000000000
time=1
`
	got, err := parseProduceRequests(out)
	if err != nil || !reflect.DeepEqual(got, map[int]int64{9: 17, 13: 4_000_000_000}) {
		t.Errorf("%v, %v", got, err)
	}
}
