package kafka

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
)

// Request is one line of the broker's own request log: what it says of a
// request once its response is sent (RequestChannel.updateRequestMetrics; the
// fields of RequestConvertToJson). Times are the broker's, cut to
// microseconds: Total is from the last byte read to the response sent, and but
// for Throttle, which lies beyond it, the sum of those that follow.
type Request struct {
	Logged         time.Time // to a millisecond
	APIKey         int16
	APIVersion     int16
	APIName        string // PRODUCE, …
	CorrelationID  int32
	ClientID       string
	Broker, Client netip.AddrPort // the connection's ends
	Listener       string
	Protocol       Protocol

	Total, RequestQueue, Local, Remote, Throttle, ResponseQueue, Send time.Duration

	Produce *ProduceLog // nil: another request
}

// ProduceLog is the part of a produce request.
type ProduceLog struct {
	TransactionalID string
	Acks            int16
	Partitions      []ProducedPartition // in the request's order
}

// ProducedPartition is one partition of a produce request.
type ProducedPartition struct {
	Topic      string // a name, up to version 12; later Kafka's base64 id
	Partition  int32
	Bytes      int32
	BaseOffset int64 // -1: none, or no response
	Error      int16
	Answered   bool // false with acks=0
}

// ReadRequestLog reads a request log line by line, in the order of the log. It
// ends with the first error.
func ReadRequestLog(file string) iter.Seq2[Request, error] {
	return func(yield func(Request, error) bool) {
		f, err := os.Open(file)
		if err != nil {
			yield(Request{}, err)
			return
		}
		defer f.Close()
		for r, err := range readRequestLog(f) {
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// requestLine bounds a line: a request of 200 partitions has some 40 KB.
const requestLine = 16 << 20

func readRequestLog(in io.Reader) iter.Seq2[Request, error] {
	return func(yield func(Request, error) bool) {
		lines := bufio.NewScanner(in)
		lines.Buffer(make([]byte, 64<<10), requestLine)
		for lines.Scan() {
			r, err := parseRequest(lines.Text())
			if err != nil {
				err = fmt.Errorf("request log: %w in %.200q", err, lines.Text())
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(Request{}, fmt.Errorf("request log: %w", err))
		}
	}
}

// errNoRequest says that a line is not one of a completed request.
var errNoRequest = errors.New("no completed request")

func parseRequest(line string) (Request, error) {
	at, text, ok := strings.Cut(line, " Completed request:")
	if !ok {
		return Request{}, errNoRequest
	}
	logged, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return Request{}, err
	}
	var j requestJSON
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return Request{}, err
	}
	r := Request{
		Logged: logged, APIKey: j.Header.Key, APIVersion: j.Header.Version, APIName: j.Header.Name,
		CorrelationID: j.Header.CorrelationID, ClientID: j.Header.ClientID,
		Listener: j.Listener, Protocol: j.Protocol,
		Total: j.Total.duration(), RequestQueue: j.RequestQueue.duration(), Local: j.Local.duration(), Remote: j.Remote.duration(),
		Throttle: j.Throttle.duration(), ResponseQueue: j.ResponseQueue.duration(), Send: j.Send.duration(),
	}
	if r.Broker, r.Client, err = parseConnection(j.Connection); err != nil {
		return Request{}, err
	}
	if j.Header.Key == 0 {
		if r.Produce, err = j.produce(); err != nil {
			return Request{}, err
		}
	}
	return r, nil
}

// parseConnection reads local-remote-index; of Kafka 4 a processor's number
// stands before the index.
func parseConnection(id string) (broker, client netip.AddrPort, err error) {
	parts := strings.Split(id, "-")
	if len(parts) < 3 {
		return broker, client, fmt.Errorf("connection %q", id)
	}
	broker, err1 := parseEnd(parts[0])
	client, err2 := parseEnd(parts[1])
	return broker, client, errors.Join(err1, err2)
}

// parseEnd reads address:port; Java puts no brackets around IPv6.
func parseEnd(s string) (netip.AddrPort, error) {
	i := strings.LastIndexByte(s, ':')
	addr, err1 := netip.ParseAddr(strings.Trim(s[:max(i, 0)], "[]"))
	port, err2 := strconv.ParseUint(s[i+1:], 10, 16)
	return netip.AddrPortFrom(addr, uint16(port)), errors.Join(err1, err2)
}
