package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/child"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/sidecar/assemble"
)

const tsharkFor = 10 * time.Second

// exchange is a request and its response, by stream and correlation id.
type exchange struct {
	clientPort  int
	correlation int32
}

// TestTimesAreTsharks captures with dumpcap while tailspan runs, and holds
// arrivals and ends to the packet times of tshark's dissector: those of a
// replay of the capture to the microsecond, those of the live run nearly so.
func TestTimesAreTsharks(t *testing.T) {
	trial.NeedRoot(t)
	needTool(t, "dumpcap")
	needTool(t, "tshark")
	c := quick()
	c.Producers, c.Load.PerSecond = 3, 500
	s := set(t, c)
	s.load(t)
	var live []assemble.RequestRow
	ts := s.watch(t, "tailspan", []string{trial.NoExport}, tailspan.Into(&live), "--print", "requests")
	file := filepath.Join(s.Run.Dir, "packets.pcapng")
	dump, err := child.Start("dumpcap", filepath.Join(s.Dir, "dumpcap.log"), exec.Command("dumpcap", "-q", "-i", "lo",
		"-f", fmt.Sprintf("tcp port %d", s.Broker.Port), "-w", file))
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(tsharkFor)
	_ = dump.Stop(syscall.SIGINT, 10*time.Second)
	trial.Stop(t, ts)
	arrivals, ends := dissect(t, file, s.Broker.Port)
	replayed, err := tailspan.Replay[assemble.RequestRow](t.Context(), s.Bin, filepath.Join(s.Dir, "replay.log"),
		file, "requests", "--port", strconv.Itoa(s.Broker.Port))
	if err != nil {
		t.Fatal(err)
	}
	// One capture, one stamp a packet. Live, each socket stamps for itself.
	t.Run("replay", func(t *testing.T) { compareTimes(t, replayed, arrivals, ends, time.Microsecond) })
	t.Run("live", func(t *testing.T) { compareTimes(t, live, arrivals, ends, 200*time.Microsecond) })
}

func compareTimes(t *testing.T, rows []assemble.RequestRow, arrivals, ends map[exchange]int64, limit time.Duration) {
	off := func(a, b int64) bool { return time.Duration(a-b).Abs() >= limit }
	compared, wrong := 0, 0
	seen := map[exchange]bool{}
	for _, r := range rows {
		key := exchange{port(t, r.Client), r.CorrelationID}
		arrival, ok1 := arrivals[key]
		end, ok2 := ends[key]
		if !ok1 || !ok2 || r.End == nil {
			continue // before or after the capture
		}
		seen[key] = true
		compared++
		if off(r.Arrival, arrival) || off(*r.End, end) {
			if wrong++; wrong <= 10 {
				t.Errorf("%+v: %d to %d, tshark says %d to %d", key, r.Arrival, *r.End, arrival, end)
			}
		}
	}
	missing := 0
	for key := range arrivals {
		if _, answered := ends[key]; answered && !seen[key] {
			missing++
		}
	}
	t.Logf("%d requests compared, %d wrong, %d of tshark's missing", compared, wrong, missing)
	if compared == 0 || missing > compared/1000 {
		t.Errorf("%d compared, %d missing", compared, missing)
	}
}

func port(t *testing.T, address string) int {
	t.Helper()
	n, err := strconv.Atoi(address[strings.LastIndexByte(address, ':')+1:])
	if err != nil {
		t.Fatalf("address %q: %v", address, err)
	}
	return n
}

// dissect runs tshark and keeps the produce requests, and all responses, that
// fill one segment each.
func dissect(t *testing.T, file string, port int) (arrivals, ends map[exchange]int64) {
	t.Helper()
	cmd := exec.Command("tshark", "-r", file, "-d", fmt.Sprintf("tcp.port==%d,kafka", port), "-Y", "kafka", "-T", "fields",
		"-e", "frame.time_epoch", "-e", "tcp.srcport", "-e", "tcp.dstport", "-e", "kafka.request_key",
		"-e", "kafka.correlation_id", "-e", "tcp.len", "-e", "kafka.len")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark: %v", err)
	}
	arrivals, ends = map[exchange]int64{}, map[exchange]int64{}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		f := strings.Split(lines.Text(), "\t")
		if len(f) != 7 || atoi(f[5]) != atoi(f[6])+4 {
			continue // several frames in a segment, or one in several
		}
		when, id := epoch(t, f[0]), int32(atoi(f[4]))
		switch {
		case atoi(f[2]) == port && f[3] == "0":
			arrivals[exchange{atoi(f[1]), id}] = when
		case atoi(f[1]) == port:
			ends[exchange{atoi(f[2]), id}] = when
		}
	}
	return arrivals, ends
}

// atoi is -1 where there is no single number.
func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return -1
	}
	return n
}

// epoch reads seconds with nine decimals.
func epoch(t *testing.T, s string) int64 {
	t.Helper()
	sec, frac, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(sec+(frac + "000000000")[:9], 10, 64)
	if err != nil {
		t.Fatalf("time %q: %v", s, err)
	}
	return n
}
