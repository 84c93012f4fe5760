package kafka

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tailspan/tailspan/deploy/lab/listeners"
	"github.com/tailspan/tailspan/jvm"
)

// Every version starts, is reached by every kind of listener, counts and logs
// its requests, listens on loopback alone, and ends in order.
func TestVersions(t *testing.T) {
	for _, v := range Versions() {
		t.Run(string(v), func(t *testing.T) {
			t.Parallel()
			b := start(t, v, Config{
				Protocols: []Protocol{SSL, SASLPlaintext, SASLSSL}, RequestLog: true, JVM: clusterHeap,
			})
			if err := b.CreateTopic(t.Context(), "orders", 1); err != nil {
				t.Fatal(err)
			}
			if err := b.AddSCRAMUser(t.Context()); err != nil {
				t.Fatal(err)
			}
			sent := produceByEach(t, b)
			dumped(t, b, sent)
			counted(t, b, sent)
			logged(t, b, sent)
			onLoopback(t, b)
			inspected(t, b)
		})
	}
}

// produceByEach sends one request by each listener and mechanism, and one that
// is not answered.
func produceByEach(t *testing.T, b *Broker) (sent int) {
	t.Helper()
	for _, a := range []Access{
		b.Access(Plaintext, ""), b.Access(SSL, ""), b.Access(SASLPlaintext, Plain),
		b.Access(SASLPlaintext, SCRAMSHA256), b.Access(SASLPlaintext, SCRAMSHA512), b.Access(SASLSSL, Plain),
	} {
		id := strings.TrimSpace(fmt.Sprintf("%s %s", a.Protocol, a.Mechanism))
		produce(t, a, id, kgo.AllISRAcks())
		sent++
	}
	produce(t, b.Access(Plaintext, ""), "unanswered", kgo.NoAck())
	return sent + 1
}

func produce(t *testing.T, a Access, id string, acks kgo.Acks) {
	t.Helper()
	cl := client(t, a, kgo.DefaultProduceTopic("orders"), kgo.ClientID(id), kgo.DisableIdempotentWrite(), kgo.RequiredAcks(acks))
	if err := cl.ProduceSync(t.Context(), kgo.StringRecord("value")).FirstErr(); err != nil {
		t.Fatalf("%s: %v", id, err)
	}
}

func onLoopback(t *testing.T, b *Broker) {
	t.Helper()
	pids := []int{b.PID()}
	if b.quorum.keeper != nil {
		pids = append(pids, b.quorum.keeper.PID())
	}
	for _, pid := range pids {
		found, err := listeners.Of(pid)
		if err != nil || len(found) == 0 {
			t.Errorf("pid %d listens on %v, %v", pid, found, err)
		}
		for _, a := range found {
			if !a.Addr().IsLoopback() {
				t.Errorf("pid %d listens on %v", pid, a)
			}
		}
	}
}

func dumped(t *testing.T, b *Broker, sent int) {
	t.Helper()
	file := b.segment("orders-0")
	batches, err := b.Dist.Dump(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	if got := batches[file]; len(got) != sent || got[sent-1].BaseOffset != int64(sent-1) || !got[0].Valid {
		t.Errorf("segment holds %+v, want %d batches", got, sent)
	}
}

// counted asks the broker until its count is that: what needs no response is
// counted a little after it was sent.
func counted(t *testing.T, b *Broker, sent int) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		counts, err := b.ProduceRequests(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var all int64
		for _, n := range counts {
			all += n
		}
		if all == int64(sent) {
			return
		}
		if all > int64(sent) || time.Now().After(deadline) {
			t.Fatalf("the broker counts %v produce requests, %d were sent", counts, sent)
		}
	}
}

// logged reads the request log: each request once, its phases within its total.
func logged(t *testing.T, b *Broker, sent int) {
	t.Helper()
	seen := map[string]int{}
	for r, err := range ReadRequestLog(b.RequestLogFile()) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Produce == nil {
			continue
		}
		seen[r.ClientID]++
		if want := b.ports[r.Protocol]; int(r.Broker.Port()) != want {
			t.Errorf("%s came to port %d, want %d", r.ClientID, r.Broker.Port(), want)
		}
		if p := r.Produce.Partitions; len(p) != 1 || p[0].Answered != (r.Produce.Acks != 0) || p[0].Error != 0 {
			t.Errorf("%s: %+v", r.ClientID, p)
		}
	}
	if len(seen) != sent {
		t.Errorf("the log holds %v, %d were sent", seen, sent)
	}
}

// inspected holds package jvm to what was configured.
func inspected(t *testing.T, b *Broker) {
	t.Helper()
	found, err := jvm.Inspect("/proc", int32(b.PID()))
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Listeners) != len(b.ports) || int(found.NodeID) != b.ID || found.ClusterID == "" || found.Starting || len(found.LogDirs) != 1 {
		t.Errorf("%+v", found)
	}
	for _, l := range found.Listeners {
		p := Protocol(l.Protocol)
		if int(l.Addr.Port()) != b.ports[p] || l.TLS() != p.Encrypted() {
			t.Errorf("%+v, want ports %v", l, b.ports)
		}
	}
}
