package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/sidecar/assemble"
)

func p[T any](v T) *T { return &v }

var (
	answered = &assemble.RequestRow{
		Arrival: noon + 1_304_512_000, LastByte: noon + 1_304_520_000, End: p[int64](noon + 1_867_700_000), Latency: p[int64](563_188_000),
		Client: "127.0.0.1:51514", Broker: "127.0.0.1:19092", PID: p[int32](4242), ClientID: "producer-3",
		APIVersion: 11, CorrelationID: 77, Acks: 1, TraceID: "4bf92f3577b34da6a3ce929d0e0e4736", Cause: "jbd2.commit", RootCause: "jbd2.commit",
		Partitions: []assemble.RequestPartition{
			{Topic: "orders", Partition: 3, Bytes: 2213, Records: 7, CRC: 4_000_000_000, Codec: "none",
				BaseOffset: p[int64](184_467), Error: p[int16](0), MessageIDs: []string{"order-1", "order-2"}},
			{Topic: "a-topic-with-a-longer-name", Partition: 12, Bytes: 100, Records: 1, Codec: "zstd", Error: p[int16](6)},
		},
	}
	unanswered = &assemble.RequestRow{
		Arrival: noon + 2_000_000_000, LastByte: noon + 2_000_000_000, Client: "127.0.0.1:51514", Broker: "127.0.0.1:19092",
		ClientID: "<a&b>\x1b[31m", CorrelationID: 78,
		Partitions: []assemble.RequestPartition{{Topic: "evil\x1b]0;\a\u202e\\\xff\n", Partition: 0, Codec: "none"}},
	}
	quick = &assemble.RequestRow{
		Arrival: noon + 3_000_000_000, LastByte: noon + 3_000_000_000, End: p[int64](noon + 3_000_843_000), Latency: p[int64](843_000),
	}
	written = &assemble.WriteRow{Start: noon + 1_305_000_000, End: noon + 1_866_300_000, Latency: 561_300_000, PID: 4242, TID: 28711,
		Thread: "data-plane-kafka-request-handler-2", Bytes: 2213, Offset: 1_262_411, File: "orders-3/00000000000000000000.log"}
	joined = &assemble.JoinedRow{Arrival: answered.Arrival, End: answered.End, Client: answered.Client, CorrelationID: 77, Topic: "orders",
		Partition: 3, BaseOffset: p[int64](184_467), CRC: 4_000_000_000, MessageIDs: []string{"order-1", "order-2"}, WriteStart: written.Start, WriteEnd: written.End,
		PID: 4242, TID: 28711, Thread: written.Thread, File: written.File, Offset: written.Offset, Bytes: 2213, Join: "exact", TraceID: answered.TraceID}
	fireAndForget = &assemble.JoinedRow{Arrival: noon, Client: answered.Client, Topic: "orders", WriteStart: noon + 100_000, WriteEnd: noon + 70_000_000, TID: 1, Join: "inferred"}
	waited        = &assemble.WaitRow{Start: noon, End: noon + 553_580_000, Latency: 553_580_000, PID: 4242, TID: 28715, Thread: "data-plane-kafka-request-handler-6",
		Class: "java/lang/Object", Monitor: "0x7f00", HolderTID: p[int32](28711), HolderThread: p("data-plane-kafka-request-handler-2"),
		Holders: []assemble.HolderRow{{TID: 28711, Thread: "data-plane-kafka-request-handler-2", NS: 552_900_000, TraceID: p("t")}, {TID: 28714, NS: 680_000}},
		TraceID: p("u"), HolderTraceID: p("t")}
	unheld  = &assemble.WaitRow{Start: noon, End: noon + 900, Latency: 900, TID: 1, Thread: "t"}
	commits = []*assemble.CommitRow{
		{Start: noon - 61_200_000, End: noon + 551_100_000, Latency: 612_300_000, Device: "7:0", Transaction: 4711, Locking: 200_000, Flushing: 400_000, Logging: 611_600_000,
			Held: []assemble.HeldRow{{TID: 28711, Inode: p[uint64](13), Start: noon - 1_200_000, End: noon + 551_700_000, What: "ext4_dirty_inode"},
				{TID: 28720, Start: noon, End: noon + 551_000_000, What: "handle_wait"}},
			TraceID: "c", Origin: p("fsync"), By: &assemble.ByRow{PID: 4242, TID: 28730, Thread: "kafka-scheduler-3"},
			Free: p[uint32](4000), Blocks: p[uint32](4096), Handles: p[uint32](77), Logged: p[uint32](12)},
		{Start: noon + 5_000_000_000, End: noon + 5_001_000_000, Latency: 1_000_000, Device: "7:0", Transaction: 4712},
	}
)

// everything prints all fixtures with one printer.
func everything(t *testing.T, w io.Writer, print, format string, threshold time.Duration) {
	t.Helper()
	pr := New(w, print, format, threshold)
	pr.Location = time.UTC
	stall, _, _ := story()
	err := errors.Join(
		pr.Request(answered), pr.Request(unanswered), pr.Request(quick),
		pr.Write(written), pr.Joined(joined), pr.Joined(fireAndForget), pr.Wait(waited), pr.Wait(unheld),
		pr.Commit(commits[0]), pr.Commit(commits[1]), pr.Trace(stall), pr.Trace(commitTrace()), pr.Flush())
	if err != nil {
		t.Fatal(err)
	}
}

func TestPrinter(t *testing.T) {
	for _, print := range []string{"requests", "writes", "joined", "waits", "commits", "traces"} {
		for format, ext := range map[string]string{"table": ".table", "jsonl": ".jsonl"} {
			t.Run(print+ext, func(t *testing.T) {
				var b bytes.Buffer
				everything(t, &b, print, format, 0)
				golden(t, print+ext, b.Bytes())
			})
		}
	}
}

func TestNothingToPrint(t *testing.T) {
	for _, print := range []string{"none", "stacks", ""} {
		var b bytes.Buffer
		if everything(t, &b, print, "table", 0); b.Len() > 0 {
			t.Errorf("--print %s: %s", print, b.String())
		}
	}
}

func TestThreshold(t *testing.T) {
	for print, want := range map[string]int{"requests": 1, "writes": 1, "joined": 2, "waits": 1, "commits": 1, "traces": 2} {
		var b bytes.Buffer
		everything(t, &b, print, "jsonl", 65*time.Millisecond)
		if n := strings.Count(b.String(), "\n"); n != want {
			t.Errorf("%s: %d lines, not %d", print, n, want)
		}
	}
}

// What scripts rely on: null for what is unknown, [] for empty lists.
func TestJSONNulls(t *testing.T) {
	var b bytes.Buffer
	everything(t, &b, "requests", "jsonl", 0)
	var rows []map[string]any
	for d := json.NewDecoder(&b); ; {
		var row map[string]any
		if err := d.Decode(&row); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	if v, there := rows[1]["end_ns"]; v != nil || !there || rows[1]["pid"] != nil || rows[0]["end_ns"] == nil {
		t.Error("end_ns, pid")
	}
	if v, ok := rows[2]["partitions"].([]any); !ok || len(v) != 0 {
		t.Errorf("partitions: %v", rows[2]["partitions"])
	}
	second := rows[0]["partitions"].([]any)[1].(map[string]any)
	if v, ok := second["message_ids"].([]any); !ok || len(v) != 0 || second["base_offset"] != nil {
		t.Errorf("%v", second)
	}
	if answered.Partitions[1].MessageIDs != nil {
		t.Error("the caller's row was changed")
	}
}

func TestTablesSteerNoTerminal(t *testing.T) {
	var b bytes.Buffer
	everything(t, &b, "requests", "table", 0)
	if strings.ContainsAny(b.String(), "\x1b\a\u202e") || strings.Count(b.String(), "\n") != 1+3+1+1 {
		t.Errorf("%q", b.String())
	}
	if !strings.Contains(b.String(), `evil\x1b]0;\x07\u{202e}\\\xff\x0a`) {
		t.Errorf("%q", b.String())
	}
}

func TestWriterFails(t *testing.T) {
	pr := New(broken{}, "writes", "table", 0)
	var err error
	for range outputBuffer {
		err = pr.Write(written)
	}
	if !errors.Is(err, io.ErrClosedPipe) || !errors.Is(pr.Flush(), io.ErrClosedPipe) {
		t.Errorf("%v, %v", err, pr.Flush())
	}
}

func TestDuration(t *testing.T) {
	for ns, want := range map[int64]string{
		0: "0ns", 999: "999ns", 1000: "1.0µs", 84_349: "84.3µs", 999_949: "999.9µs", 999_950: "1.0ms",
		563_188_000: "563.2ms", 999_949_999: "999.9ms", 999_950_000: "1.000s", 1_204_000_000: "1.204s", -1500: "-1.5µs",
	} {
		if got := duration(ns); got != want {
			t.Errorf("%d: %s, not %s", ns, got, want)
		}
	}
}

func BenchmarkRequestTable(b *testing.B) { benchmarkRequest(b, "table") }
func BenchmarkRequestJSON(b *testing.B)  { benchmarkRequest(b, "jsonl") }

func benchmarkRequest(b *testing.B, format string) {
	pr := New(io.Discard, "requests", format, 0)
	b.ReportAllocs()
	for b.Loop() {
		if err := pr.Request(answered); err != nil {
			b.Fatal(err)
		}
	}
}
