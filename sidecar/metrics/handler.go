package metrics

import (
	"fmt"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// maxScrapes bounds those that are under way at once; others are told to come
// again (503).
const maxScrapes = 8

// Handler serves the registry: as OpenMetrics or text, and as protobuf, without
// which there are no native histograms, to who prefers it. What cannot be
// collected is logged and counted, and left out.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog:            errorLog{m.log},
		ErrorHandling:       promhttp.ContinueOnError,
		Registry:            m.registry,
		MaxRequestsInFlight: maxScrapes,
		EnableOpenMetrics:   true,
	})
}

type errorLog struct{ log *slog.Logger }

func (l errorLog) Println(v ...any) { l.log.Warn("serve metrics", "error", fmt.Sprint(v...)) }
