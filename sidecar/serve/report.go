package serve

import (
	"bytes"
	"net/http"
	"strconv"
	"time"
)

// pageTurn is how long a page is waited for that somebody else is being sent.
const pageTurn = 5 * time.Second

// report sends the page of what goes on, or of the hour before. To make one takes
// memory and, with much in it, a good part of a second: one at a time is made and
// sent, the others wait for their turn, and not for long, for one may be taken slowly.
func (s *Server) report(w http.ResponseWriter, r *http.Request, before bool) {
	select {
	case s.pages <- struct{}{}:
		defer func() { <-s.pages }()
	case <-r.Context().Done():
		return
	case <-time.After(pageTurn):
		w.Header().Set("Retry-After", "10")
		http.Error(w, "somebody else is being sent a page; try again in a while", http.StatusServiceUnavailable)
		return
	}
	var b bytes.Buffer
	there, err := s.o.Report(&b, before)
	switch {
	case err != nil:
		s.o.Log.Error("the report cannot be made", "error", err)
		http.Error(w, "the page cannot be made; the log says why", http.StatusInternalServerError)
	case !there:
		http.Error(w, "there is no hour before: the first one is not over", http.StatusNotFound)
	default:
		h := w.Header()
		h.Set("Content-Security-Policy", s.o.ReportPolicy+"; frame-ancestors 'none'")
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Length", strconv.Itoa(b.Len()))
		_, _ = w.Write(b.Bytes()) // the client is gone
	}
}
