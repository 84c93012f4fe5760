package main

import (
	"fmt"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/sidecar/report"
	"github.com/tailspan/tailspan/spans"
)

// tableRows is how many requests a table shows.
const tableRows = 8

// tables are the blog post's, for the slowest requests.
func tables(slowest []*spans.Trace) (string, error) {
	var b strings.Builder
	b.WriteString("\nThe slowest produce requests, as the network saw them:\n\n")
	requests := report.New(&b, "requests", "table", 0)
	for _, t := range slowest {
		if err := requests.Request(requestRow(t)); err != nil {
			return "", err
		}
	}
	if err := requests.Flush(); err != nil {
		return "", err
	}
	b.WriteString("\nand what they wrote, as the file system saw it:\n\n")
	writes := report.New(&b, "writes", "table", 0)
	for _, t := range slowest {
		for _, s := range t.Spans {
			if s.Name == spans.NameWrite {
				if err := writes.Write(writeRow(&s)); err != nil {
					return "", err
				}
			}
		}
	}
	err := writes.Flush()
	return b.String(), err
}

func requestRow(t *spans.Trace) *assemble.RequestRow {
	r := t.Root()
	n := r.End - r.Start
	row := &assemble.RequestRow{Arrival: r.Start, End: &r.End, Latency: &n}
	for _, name := range value(r, spans.KeyPartitions).AsStringSlice() {
		cut := max(0, strings.LastIndexByte(name, '-'))
		number, _ := strconv.ParseInt(name[min(len(name), cut+1):], 10, 32)
		row.Partitions = append(row.Partitions, assemble.RequestPartition{Topic: name[:cut], Partition: int32(number)})
	}
	if ids := value(r, spans.KeyMessageIDs).AsStringSlice(); len(row.Partitions) == 1 {
		row.Partitions[0].MessageIDs = ids
	}
	return row
}

func writeRow(s *spans.Span) *assemble.WriteRow {
	return &assemble.WriteRow{
		Start: s.Start, End: s.End, Latency: s.End - s.Start,
		TID: int32(value(s, spans.KeyThreadID).AsInt64()), Thread: value(s, spans.KeyThreadName).AsString(),
		Bytes: value(s, spans.KeyBytes).AsInt64(), Offset: value(s, spans.KeyOffset).AsInt64(),
		File: value(s, spans.KeyFile).AsString(),
	}
}

// value is that of an attribute, empty if it is not there.
func value(s *spans.Span, key string) attribute.Value {
	for _, a := range s.Attributes {
		if string(a.Key) == key {
			return a.Value
		}
	}
	return attribute.Value{}
}

// commitName names a commit as jbd2 does.
func commitName(s *spans.Span) string {
	return fmt.Sprintf("jbd2 transaction %d on device %s", value(s, spans.KeyTransaction).AsInt64(), value(s, spans.KeyDevice).AsString())
}

func lines(b []byte) []string {
	return strings.FieldsFunc(string(b), func(r rune) bool { return r == '\n' })
}
