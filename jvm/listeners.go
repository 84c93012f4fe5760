package jvm

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// maxListeners bounds what one broker may configure or listen on.
const maxListeners = 64

// Listener is one listener of a broker for clients or other brokers; those
// of the controller are left out.
type Listener struct {
	Name       string         // as configured, in upper case; "" when it is not known
	Addr       netip.AddrPort // where it listens; :: and 0.0.0.0 are unspecified
	Protocol   string         // PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL; "" when it is not known
	Advertised string         // host:port that clients are told; "" when it is not known
}

// TLS says that packets of this listener cannot be read.
func (l Listener) TLS() bool { return strings.HasSuffix(l.Protocol, "SSL") }

// Accepts says whether a connection to this local address is the listener's.
func (l Listener) Accepts(local netip.AddrPort) bool {
	return l.Addr.Port() == local.Port() &&
		(l.Addr.Addr().IsUnspecified() || l.Addr.Addr() == local.Addr().Unmap())
}

// endpoint is a configured listener: NAME://host:port.
type endpoint struct {
	name, host string
	port       uint16
}

func (p properties) endpoints(key string) ([]endpoint, error) {
	var out []endpoint
	for _, s := range p.list(key) {
		e, err := parseEndpoint(s)
		if err != nil {
			return nil, fmt.Errorf("parse %s: %w", key, err)
		}
		if out = append(out, e); len(out) > maxListeners {
			return nil, fmt.Errorf("parse %s: more than %d", key, maxListeners)
		}
	}
	return out, nil
}

func parseEndpoint(s string) (endpoint, error) {
	name, addr, ok := strings.Cut(s, "://")
	colon := strings.LastIndexByte(addr, ':')
	if !ok || name == "" || colon < 0 {
		return endpoint{}, fmt.Errorf("listener %q is not NAME://host:port", s)
	}
	port, err := strconv.ParseUint(addr[colon+1:], 10, 16)
	if err != nil {
		return endpoint{}, fmt.Errorf("listener %q: port out of range", s)
	}
	host := strings.Trim(addr[:colon], "[]")
	return endpoint{strings.ToUpper(name), host, uint16(port)}, nil
}

// protocol maps a listener's name; without a map names are protocols, and a
// controller's is PLAINTEXT.
func (p properties) protocol(name string) string {
	for _, pair := range p.list("listener.security.protocol.map") {
		if n, proto, ok := strings.Cut(pair, ":"); ok && strings.EqualFold(strings.TrimSpace(n), name) {
			return strings.ToUpper(strings.TrimSpace(proto))
		}
	}
	switch name {
	case "PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL":
		return name
	}
	return ""
}

func (p properties) isController(name string) bool {
	for _, c := range p.list("controller.listener.names") {
		if strings.EqualFold(c, name) {
			return true
		}
	}
	return false
}

// matchListeners joins what is configured with what listens. Sockets that no
// listener claims (JMX, exporters) are left out, unless nothing is configured
// or a listener took any free port. missing names listeners without a socket.
func (p properties) matchListeners(sockets []netip.AddrPort) (found []Listener, missing []string, err error) {
	configured, err := p.endpoints("listeners")
	if err != nil {
		return nil, nil, err
	}
	advertised, err := p.endpoints("advertised.listeners")
	if err != nil {
		return nil, nil, err
	}
	free := append([]netip.AddrPort(nil), sockets...)
	for pass := range 2 { // those with a port first: port 0 takes what is left
		for _, e := range configured {
			if (e.port == 0) != (pass == 1) {
				continue
			}
			i := e.find(free)
			switch {
			case p.isController(e.name):
			case i < 0:
				missing = append(missing, e.name)
			default:
				found = append(found, Listener{e.name, free[i], p.protocol(e.name), advertisedFor(advertised, e, free[i])})
			}
			if i >= 0 {
				free = append(free[:i], free[i+1:]...)
			}
		}
	}
	return found, missing, nil
}

// find is the index of the endpoint's socket: at its address, else on its port.
func (e endpoint) find(sockets []netip.AddrPort) int {
	host, _ := netip.ParseAddr(e.host)
	at := -1
	for i, s := range sockets {
		if e.port != 0 && s.Port() != e.port {
			continue
		}
		if s.Addr() == host {
			return i
		}
		if at < 0 {
			at = i
		}
	}
	return at
}

func advertisedFor(all []endpoint, e endpoint, at netip.AddrPort) string {
	for _, a := range all {
		if a.name == e.name {
			port := a.port
			if port == 0 {
				port = at.Port()
			}
			return a.host + ":" + strconv.Itoa(int(port))
		}
	}
	return ""
}
