package serve

import (
	"mime"
	"net/http"
	"strings"
)

// trace answers /trace.
func (s *Server) trace(w http.ResponseWriter, r *http.Request) {
	q, err := parseQuery(r.URL.RawQuery)
	a := answer{Others: []string{}}
	if err != nil {
		a.fail(http.StatusBadRequest, &s.stats.Invalid, err.Error())
	} else {
		s.find(r.Context(), q, &a)
	}
	if a.count != nil {
		s.count(a.count)
	}
	w.Header().Set("Vary", "Accept")
	if a.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	switch {
	case wantsJSON(r):
		writeJSON(w, a.status, a)
	case a.status == http.StatusOK && a.URL != nil:
		http.Redirect(w, r, *a.URL, http.StatusFound)
	default:
		writePage(w, a.status, tracePage, &a)
	}
}

// wantsJSON: a browser asks for HTML first, and curl for anything.
func wantsJSON(r *http.Request) bool {
	switch r.URL.Query().Get("format") {
	case "json":
		return true
	case "html":
		return false
	}
	json := false
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
		kind, params, err := mime.ParseMediaType(part)
		if err != nil || params["q"] == "0" {
			continue
		}
		switch kind {
		case "text/html", "application/xhtml+xml":
			return false
		case "application/json":
			json = true
		}
	}
	return json
}
