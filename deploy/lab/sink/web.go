package sink

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
)

// newWeb takes every path.
func newWeb(take func(Message) error) *http.Server {
	return &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := decompressed(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		var header bytes.Buffer
		_ = r.Header.Write(&header) // into memory
		if err := take(Message{r.URL.Path, header.String(), body}); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	})}
}

func decompressed(r *http.Request) ([]byte, error) {
	in := io.Reader(io.LimitReader(r.Body, maxMessage))
	if r.Header.Get("Content-Encoding") != "gzip" {
		return io.ReadAll(in)
	}
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(z, maxMessage))
}
