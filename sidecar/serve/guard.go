package serve

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
)

// guard looks at what is the same for all paths, before any of them.
func (s *Server) guard(next http.Handler) http.Handler {
	// Browsers hold a form to where it is redirected to, too.
	policy := "default-src 'none'; style-src 'unsafe-inline'; form-action 'self' " + s.o.TraceURL.origin() +
		"; frame-ancestors 'none'; base-uri 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", policy)
		h.Set("Cache-Control", "no-store")
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			s.count(&s.stats.Refused)
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
		case !s.answersTo(r.Host):
			s.count(&s.stats.Refused)
			http.Error(w, "this is not the host that you asked for: use localhost, an address, or a name that the sidecar was told",
				http.StatusMisdirectedRequest)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// answersTo says whether a Host is one of ours: see the package's documentation.
func (s *Server) answersTo(host string) bool {
	if s.names == nil || host == "" {
		return true
	}
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.Trim(strings.ToLower(name), "[]"), ".")
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	return strings.HasSuffix(name, ".localhost") || slices.Contains(s.names, name)
}

// namesOf is what Host may be; nil: anything.
func namesOf(addr net.Addr, own string, others []string) (names []string) {
	tcp, _ := addr.(*net.TCPAddr)
	if (tcp == nil || !tcp.IP.IsLoopback()) && len(others) == 0 {
		return nil
	}
	names = []string{"localhost"}
	for _, name := range append([]string{own}, others...) {
		if name != "" {
			names = append(names, strings.TrimSuffix(strings.ToLower(name), "."))
		}
	}
	return names
}

// maxConns bounds the connections that are open at one time; others wait.
const maxConns = 128

// limited is a listener of at most as many connections as there are slots.
type limited struct {
	net.Listener
	slots chan struct{}
}

func (l *limited) Accept() (net.Conn, error) {
	l.slots <- struct{}{}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &slotted{Conn: c, free: sync.OnceFunc(func() { <-l.slots })}, nil
}

type slotted struct {
	net.Conn
	free func()
}

func (c *slotted) Close() error {
	defer c.free()
	return c.Conn.Close()
}
