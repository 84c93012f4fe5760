package exact

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/sidecar/report"
)

// leastExact is the share of the batches in the log that must be joined exactly.
const leastExact = 0.9999

// TestEveryRequest: of a mixed load of all clients, every request is seen, every
// batch in the log has its request, and each client's own record says the same.
func TestEveryRequest(t *testing.T) {
	trial.NeedRoot(t)
	r := record(t, requests(t))
	l := newLedger(t, r)
	replayed(t, r, "requests", l.request)
	t.Run("broker", func(t *testing.T) { l.countsAgree(t, r) })
	t.Run("clients", l.clientsAgree)
	t.Run("segments", func(t *testing.T) { batchesAreJoined(t, r, l) })
	t.Run("verify", func(t *testing.T) { nothingIsWrong(t, r) })
	if requests(t) <= 100_000 { // else a trace of each is too much to print
		t.Run("contexts", func(t *testing.T) { l.contextsAgree(t, r) })
	}
}

// rewriting says whether the broker rewrites the batches of a topic.
func rewriting(topic string) bool {
	return topic == "mix-append-time" || topic == "mix-recompressed"
}

// batchesAreJoined: DumpLogSegments lists all batches; each that a client sent is
// joined once, with the offset in the file that it has.
func batchesAreJoined(t *testing.T, r *run, l *ledger) {
	type place struct {
		file     string
		position int64
	}
	joined := map[place]assemble.JoinedRow{}
	twice := 0
	replayed(t, r, "joined", func(row *assemble.JoinedRow) {
		p := place{row.File, row.Offset}
		if _, ok := joined[p]; ok {
			twice++
		}
		joined[p] = assemble.JoinedRow{Join: row.Join, BaseOffset: row.BaseOffset, CRC: row.CRC, Topic: row.Topic, Partition: row.Partition, Client: row.Client, CorrelationID: row.CorrelationID}
	})
	segments, err := r.Kafka.DumpLogDir(t.Context(), r.LogDir)
	if err != nil {
		t.Fatal(err)
	}
	var batches, exact, inferred, guessed, missing, wrong int
	for file, all := range segments {
		if strings.HasPrefix(file, "_") {
			continue
		}
		for _, b := range all {
			if b.Control {
				continue
			}
			row, ok := joined[place{file, b.Position}]
			delete(joined, place{file, b.Position})
			if ok && row.Join == "inferred" && l.mayBeInferred(&row) {
				inferred++ // not counted
				continue
			}
			batches++
			switch {
			case ok && row.Join != "exact":
				if guessed++; guessed < 10 {
					t.Logf("joined %s: %s at %d: %+v", row.Join, file, b.Position, row)
				}
			case !ok:
				if missing++; missing < 10 {
					t.Logf("nobody's: %s at %d, base offset %d, %s; perhaps %s", file, b.Position, b.BaseOffset, b.Codec,
						l.brought[batchKey{filepath.Dir(file), b.CRC}])
				}
			case row.BaseOffset != nil && *row.BaseOffset != b.BaseOffset, !rewriting(row.Topic) && row.CRC != b.CRC:
				if wrong++; wrong < 10 {
					t.Errorf("%s at %d: %+v, the segment has %+v", file, b.Position, row, b)
				}
			default:
				exact++
			}
		}
	}
	t.Logf("%d batches in the segments and %d inferred: %d joined exact (%.4f %%), %d inferred that could be exact, %d by nobody, %d wrong, %d twice, %d joined with what is no batch",
		batches, inferred, exact, 100*float64(exact)/float64(batches), guessed, missing, wrong, twice, len(joined))
	if float64(exact) < leastExact*float64(batches) || wrong+twice+len(joined) > 0 || batches == 0 {
		t.Error("not exact")
	}
}

// nothingIsWrong: tailspan's own proof from the bytes on disk.
func nothingIsWrong(t *testing.T, r *run) {
	cmd := exec.CommandContext(t.Context(), r.Bin, "verify", r.file, "--log-dir", r.LogDir, "--format", "jsonl")
	log, err := os.Create(filepath.Join(r.Dir, "verify.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stderr = log
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("%v, see %s:\n%.2000s", err, log.Name(), out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	var found report.Verification
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &found); err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", found)
	if found.Wrong != 0 || found.Verified != found.Joined || found.Joined == 0 {
		t.Error("not all joins are proved")
	}
}
