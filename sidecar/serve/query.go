package serve

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"github.com/tailspan/tailspan/sidecar/topics"
)

// query is what /trace is asked.
type query struct {
	cluster   string // "": whichever there is
	topic     string
	partition int32
	offset    int64
}

// maxCluster bounds a cluster's id: Kafka's own have 22 characters.
const maxCluster = 249

// parseQuery says which parameter is wrong, and how.
func parseQuery(raw string) (q query, err error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return q, errors.New("the query is not well-formed: topics, partitions and offsets need no escapes")
	}
	for _, name := range []string{"topic", "partition", "offset", "cluster", "format"} {
		n := len(values[name])
		switch {
		case n > 1:
			return q, fmt.Errorf("%s is there %d times", name, n)
		case values.Get(name) == "" && name != "cluster" && name != "format":
			return q, fmt.Errorf("%s is missing: /trace?topic=NAME&partition=N&offset=N", name)
		}
	}
	partition, err := strconv.ParseUint(values.Get("partition"), 10, 31)
	if err != nil {
		return q, errors.New("partition is no number from 0 to 2147483647")
	}
	offset, err := strconv.ParseUint(values.Get("offset"), 10, 63)
	if err != nil {
		return q, errors.New("offset is no number from 0 on")
	}
	q = query{values.Get("cluster"), values.Get("topic"), int32(partition), int64(offset)}
	if topic, _, ok := topics.ParsePartition(q.topic + "-0"); !ok || topic != q.topic {
		return q, errors.New("topic is no name of a topic: letters, digits, '.', '_' and '-', at most 249 of them")
	}
	if len(q.cluster) > maxCluster {
		return q, fmt.Errorf("cluster is longer than %d bytes", maxCluster)
	}
	if f := values.Get("format"); f != "" && f != "json" && f != "html" {
		return q, errors.New("format is neither json nor html")
	}
	return q, nil
}
