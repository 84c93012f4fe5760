package serve

import (
	"bytes"
	"html/template"
	"net/http"
)

const pageHead = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{{block "title" .}}Tailspan{{end}}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 46em; margin: 2em auto; padding: 0 1em; color: #222; background: #fff }
table { border-collapse: collapse } th, td { text-align: left; padding: .2em 1.2em .2em 0; vertical-align: top; font-weight: normal }
th { color: #666 } code { font-size: 13px; overflow-wrap: anywhere } input { font: inherit; width: 9em }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #1b1b1b } th { color: #999 } a { color: #8bf } }
</style></head><body>
{{block "body" .}}{{end}}
</body></html>
`

var pages = template.Must(template.New("page").Parse(pageHead))

func page(body string) *template.Template {
	return template.Must(template.Must(pages.Clone()).Parse(body))
}

var indexPage = page(`{{define "body"}}<h1>Tailspan</h1>
<p>Version {{.Version}}, since {{.Since}}.</p>
<ul>{{if .Report}}
<li><a href="/report">/report</a>: what goes on, as a page: this hour (UTC); <a href="/report/before">the hour before</a></li>{{end}}{{if .Metrics}}
<li><a href="/metrics">/metrics</a>: of all requests, with exemplars</li>{{end}}
<li><a href="/healthz">/healthz</a>: what is traced, and how the sending of traces does</li>
<li>/trace: the trace of the request that wrote a record</li>
</ul>
<form action="/trace"><table>
<tr><th><label for="t">topic</label></th><td><input id="t" name="topic" required></td></tr>
<tr><th><label for="p">partition</label></th><td><input id="p" name="partition" inputmode="numeric" required></td></tr>
<tr><th><label for="o">offset</label></th><td><input id="o" name="offset" inputmode="numeric" required></td></tr>
<tr><th></th><td><button>Find its trace</button></td></tr>
</table></form>
<h2>Brokers</h2>{{if .Brokers}}
<table><tr><th>broker</th><th>cluster</th><th>process</th><th>log dirs</th></tr>{{range .Brokers}}
<tr><td>{{if ge .Node 0}}{{.Node}}{{else}}not known{{end}}</td><td>{{.Cluster}}</td><td>{{.PID}}</td><td>{{range .LogDirs}}<code>{{.}}</code><br>{{end}}</td></tr>{{end}}
</table>{{else}}
<p>No broker is traced.</p>{{end}}
<p>{{.Places}} batches of kept traces are remembered, in {{.Partitions}} partitions.</p>{{end}}`)

var tracePage = page(`{{define "title"}}{{.Topic}} {{.Heading}}{{end}}{{define "body"}}<h1>{{.Heading}}</h1>
<p>{{.Reason}}</p>{{if .Topic}}
<table>
<tr><th>topic</th><td>{{.Topic}}</td></tr>
<tr><th>partition</th><td>{{.Partition}}</td></tr>
<tr><th>offset</th><td>{{.Offset}}{{if .Base}}, in the batch {{.Base}} to {{.Last}}{{end}}</td></tr>{{if .Cluster}}
<tr><th>cluster</th><td>{{.Cluster}}</td></tr>{{end}}{{if .TraceID}}
<tr><th>trace id</th><td>{{range .IDs}}<code>{{.ID}}</code> {{.Of}}{{if and .URL $.May}}: <a href="{{.URL}}" rel="noreferrer">look for it</a>{{end}}<br>{{else}}<code>{{.TraceID}}</code>{{end}}</td></tr>{{end}}
</table>{{end}}{{if .IDs}}
<p>An id that is made of the batch's place is that of the request's trace if this was the first partition that it wrote to.</p>{{end}}
<p><a href="/">Tailspan</a></p>{{end}}`)

// Heading is the answer in few words.
func (a *answer) Heading() string {
	switch {
	case a.status == http.StatusBadRequest:
		return "Not understood"
	case a.status == http.StatusServiceUnavailable:
		return "Not known at this moment"
	case a.Kept != nil && *a.Kept:
		return "The trace was kept"
	case a.Kept != nil:
		return "The trace was not kept"
	case a.TraceID != nil:
		return "The trace may have been kept"
	}
	return "No trace"
}

// IDs are what the trace's id may be, where that is not known.
func (a *answer) IDs() []candidate { return a.ids }

// May says that the trace may be in the backend.
func (a *answer) May() bool { return a.Kept == nil }

// index is what there is.
func (s *Server) index(w http.ResponseWriter, _ *http.Request) {
	places := s.o.Index.Stats()
	writePage(w, http.StatusOK, indexPage, struct {
		Version, Since     string
		Metrics, Report    bool
		Brokers            []Broker
		Places, Partitions int
	}{s.o.Version, s.since.UTC().Format("2006-01-02 15:04:05 UTC"), s.o.Metrics != nil, s.o.Report != nil, s.o.Brokers(), places.Places, places.Partitions})
}

func writePage(w http.ResponseWriter, status int, t *template.Template, data any) {
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		http.Error(w, "the page cannot be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the client is gone
}
