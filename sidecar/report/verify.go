package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
)

// Verification is what `tailspan verify` found. Joined = Verified + Wrong +
// Unverifiable; partitions of requests are counted, not requests.
type Verification struct {
	Requests     uint64            `json:"requests"`
	Joined       uint64            `json:"joined"`
	Exact        uint64            `json:"exact"`
	Inferred     uint64            `json:"inferred"`
	Verified     uint64            `json:"verified"`
	Rewritten    uint64            `json:"rewritten"` // of Verified: by the broker
	Wrong        uint64            `json:"wrong"`
	Unverifiable uint64            `json:"unverifiable"`
	Reasons      map[string]uint64 `json:"reasons"` // of Unverifiable
}

// WrongRow is a joined row that the bytes on disk do not bear out.
type WrongRow struct {
	File          string    `json:"file"`
	Offset        int64     `json:"offset"`
	Bytes         int64     `json:"bytes"`
	Topic         string    `json:"topic"`
	Partition     int32     `json:"partition"`
	BaseOffset    *int64    `json:"base_offset"` // the response's
	Client        string    `json:"client"`
	CorrelationID int32     `json:"correlation_id"`
	Join          string    `json:"join"`
	TraceID       string    `json:"trace_id"`
	Expected      BatchRow  `json:"expected"`
	Found         *BatchRow `json:"found"` // nil: no batch
	Why           string    `json:"why"`
}

// BatchRow is the header of a record batch, as far as it is compared.
type BatchRow struct {
	BaseOffset  int64  `json:"base_offset"`
	Bytes       int32  `json:"bytes"`
	CRC         uint32 `json:"crc"`
	LeaderEpoch int32  `json:"leader_epoch"`
}

// maxWrong bounds the wrong rows that are listed; all are counted.
const maxWrong = 20

// Verify prints a Verification, as text or as JSON lines: the wrong rows as
// they come, then the counts.
type Verify struct {
	out    *bufio.Writer
	json   *json.Encoder // nil: text
	listed int
}

// NewVerify returns a Verify of a format (table, jsonl).
func NewVerify(w io.Writer, format string) *Verify {
	p := &Verify{out: bufio.NewWriter(w)}
	if format == "jsonl" {
		p.json = json.NewEncoder(p.out)
		p.json.SetEscapeHTML(false)
	}
	return p
}

// Wrong lists a row, unless enough of them have been.
func (p *Verify) Wrong(r *WrongRow) error {
	if p.listed++; p.listed > maxWrong {
		return nil
	}
	if p.json != nil {
		return p.json.Encode(r)
	}
	found := "no batch"
	if r.Found != nil {
		found = r.Found.text()
	}
	_, err := fmt.Fprintf(p.out, "wrong: %s at %d, request %d of %s, joined %s, trace %s\n  expected %s\n  found    %s: %s\n",
		clean(r.File), r.Offset, r.CorrelationID, clean(r.Client), clean(r.Join), clean(r.TraceID), r.Expected.text(), found, clean(r.Why))
	return err
}

func (b *BatchRow) text() string {
	return fmt.Sprintf("base offset %d, %d B, crc %08x, leader epoch %d", b.BaseOffset, b.Bytes, b.CRC, b.LeaderEpoch)
}

// Summary prints the counts and writes everything out.
func (p *Verify) Summary(v *Verification) error {
	if p.json == nil {
		p.summaryText(v)
		return p.out.Flush() // which has the error of whatever went before
	}
	row := *v
	if row.Reasons == nil {
		row.Reasons = map[string]uint64{}
	}
	if err := p.json.Encode(&row); err != nil {
		return err
	}
	return p.out.Flush()
}

func (p *Verify) summaryText(v *Verification) {
	if p.listed > maxWrong {
		fmt.Fprintf(p.out, "... and %d more that are wrong\n", p.listed-maxWrong)
	}
	fmt.Fprintf(p.out, "%-13s %10d\n", "requests", v.Requests)
	fmt.Fprintf(p.out, "%-13s %10d  exact %d, inferred %d\n", "joined", v.Joined, v.Exact, v.Inferred)
	fmt.Fprintf(p.out, "%-13s %10d  as sent %d, rewritten by the broker %d\n", "verified", v.Verified, v.Verified-v.Rewritten, v.Rewritten)
	fmt.Fprintf(p.out, "%-13s %10d\n", "wrong", v.Wrong)
	fmt.Fprintf(p.out, "%-13s %10d", "unverifiable", v.Unverifiable)
	sep := "  "
	for _, reason := range slices.Sorted(maps.Keys(v.Reasons)) {
		fmt.Fprintf(p.out, "%s%s %d", sep, reason, v.Reasons[reason])
		sep = ", "
	}
	fmt.Fprintln(p.out)
}
