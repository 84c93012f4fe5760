package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/tailspan/tailspan/deploy/lab/child"
	"github.com/tailspan/tailspan/spans"
)

// listen has Tailspan serve at a free port of loopback, and lead to Jaeger.
func (d *demo) listen() ([]string, error) {
	address, err := child.FreeAddress()
	if err != nil {
		return nil, err
	}
	d.address = "http://" + address
	return []string{"--listen", address, "--trace-url", d.jaeger.client.URL + "/trace/{trace_id}"}, nil
}

// fromRecord shows the way from a record to the trace of its request, by asking
// for it.
func (d *demo) fromRecord(ctx context.Context, t *spans.Trace) {
	partitions, offsets := value(t.Root(), spans.KeyPartitions).AsStringSlice(), value(t.Root(), spans.KeyBaseOffsets).AsInt64Slice()
	if d.address == "" || len(partitions) == 0 || len(offsets) == 0 || offsets[0] < 0 {
		return
	}
	dash := strings.LastIndexByte(partitions[0], '-')
	if dash < 0 {
		return
	}
	asked := d.address + "/trace?" + url.Values{"topic": {partitions[0][:dash]}, "partition": {partitions[0][dash+1:]},
		"offset": {strconv.FormatInt(offsets[0], 10)}}.Encode()
	id, err := lookUp(ctx, asked)
	switch {
	case err != nil:
		d.say("The trace of a record could not be looked up: %v", err)
	case id != t.ID.String():
		d.say("The trace of a record was looked up as %s, and is %s.", id, t.ID)
	default:
		d.say("The same, from a record's place in its log: %s", asked)
	}
}

// lookUp returns the id of the trace that an address leads to.
func lookUp(ctx context.Context, address string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"&format=json", nil)
	if err != nil {
		return "", err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var found struct {
		TraceID string `json:"trace_id"`
		Kept    bool   `json:"kept"`
		Reason  string `json:"reason"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&found); err != nil {
		return "", fmt.Errorf("%s: %w", answer.Status, err)
	}
	if !found.Kept {
		return "", fmt.Errorf("%s: %s", answer.Status, found.Reason)
	}
	return found.TraceID, nil
}
