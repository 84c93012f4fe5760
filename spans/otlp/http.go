package otlp

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"
)

const (
	contentType = "application/x-protobuf"
	maxAnswer   = 1 << 20 // of an answer, what is read
)

// httpClient speaks OTLP/HTTP with protobuf bodies.
type httpClient struct {
	client *http.Client
	url    string
	header http.Header
	gzip   *gzip.Writer // nil: not compressed
}

func newHTTPClient(s settings, version string) *httpClient {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = s.tls
	c := &httpClient{
		client: &http.Client{
			Transport: t,
			Timeout:   s.timeout,
			// Elsewhere, the headers would be somebody else's.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		url:    s.url.String(),
		header: http.Header{"User-Agent": {"tailspan/" + version}},
	}
	for name, value := range s.headers {
		c.header.Set(name, value)
	}
	c.header.Set("Content-Type", contentType)
	if s.gzip {
		c.header.Set("Content-Encoding", "gzip")
		c.gzip = gzip.NewWriter(io.Discard)
	}
	return c
}

func (c *httpClient) upload(ctx context.Context, request []byte) result {
	body, err := c.pack(request)
	if err != nil {
		return result{verdict: refused, err: err}
	}
	var sent atomic.Bool
	trace := &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return result{verdict: refused, err: withoutURL(err)}
	}
	req.Header = c.header
	answer, err := c.client.Do(req)
	if err != nil {
		return result{verdict: retry, err: withoutURL(err), unsure: sent.Load()}
	}
	defer answer.Body.Close()
	// What cannot be read of it is missing in a message, or in what was said
	// beside a success, no more.
	text, _ := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	return judgeHTTP(answer, text, time.Now())
}

// pack compresses, into new memory: the transport may still read an old body
// when that has failed.
func (c *httpClient) pack(request []byte) ([]byte, error) {
	if c.gzip == nil {
		return request, nil
	}
	var b bytes.Buffer
	c.gzip.Reset(&b)
	_, err := c.gzip.Write(request)
	err = errors.Join(err, c.gzip.Close())
	return b.Bytes(), err
}

func (c *httpClient) stop(context.Context) { c.client.CloseIdleConnections() }

// withoutURL: the error of net/http begins with the whole of it.
func withoutURL(err error) error {
	if u, ok := err.(*url.Error); ok { //nolint:errorlint // only the outermost
		return u.Err
	}
	return err
}
