package serve

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tailspan/tailspan/spans"
)

// TraceURL is the template of the URLs of traces, "" for none: see the package's
// documentation.
type TraceURL string

// Placeholders of a TraceURL.
const (
	holdTrace = "{trace_id}"
	holdStart = "{start}"
	holdEnd   = "{end}"
)

// Check says what is wrong with a template.
func (t TraceURL) Check() error {
	if t == "" {
		return nil
	}
	head, rest, _ := strings.Cut(string(t), "://")
	host := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		host = rest[:i]
	}
	u, err := url.Parse(t.fill("0", "0", "0"))
	switch {
	case head != "http" && head != "https":
		return errors.New("trace URL: it begins with neither http:// nor https://")
	case err != nil:
		return errors.New("trace URL: it is no URL") // its text would show all of it, with a password that may be in it
	case u.Hostname() == "" || u.User != nil || strings.ContainsAny(host, `{}\`):
		return errors.New("trace URL: name a host in it, without a password or a placeholder")
	case !strings.Contains(string(t), holdTrace):
		return errors.New("trace URL: there is no " + holdTrace + " in it")
	}
	return nil
}

// origin is where all of its URLs are; "" without a template.
func (t TraceURL) origin() string {
	u, err := url.Parse(t.fill("0", "0", "0"))
	if err != nil || t == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// Of is the URL of a trace that lies in a time; "" without a template.
func (t TraceURL) Of(id spans.TraceID, from, to time.Time) string {
	unix := func(at time.Time) string { return strconv.FormatInt(max(0, at.Unix()), 10) }
	return t.fill(id.String(), unix(from), unix(to))
}

func (t TraceURL) fill(id, start, end string) string {
	return strings.NewReplacer(holdTrace, id, holdStart, start, holdEnd, end).Replace(string(t))
}
