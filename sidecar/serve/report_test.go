package serve

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// Who would have to wait long for another's page is told so.
func TestPageTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{pages: make(chan struct{}, 1)}
		get := func() *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			s.report(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/report", nil), false)
			return w
		}
		s.o.Report = func(w io.Writer, _ bool) (bool, error) {
			time.Sleep(pageTurn + time.Second)
			_, err := io.WriteString(w, "page")
			return true, err
		}
		slow := make(chan *httptest.ResponseRecorder)
		go func() { slow <- get() }()
		synctest.Wait()
		if w := get(); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("%d %v", w.Code, w.Header())
		}
		if w := <-slow; w.Code != http.StatusOK || w.Body.String() != "page" {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}
