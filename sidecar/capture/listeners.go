package capture

import "net/netip"

// listeners is an immutable set of listeners.
type listeners struct {
	ports [1 << 16 / 64]uint64
	exact map[endpoint]int32 // to pid
	any   map[uint16]int32   // of those with an unspecified address, to pid
}

func newListeners(ls []Listener) *listeners {
	t := &listeners{exact: make(map[endpoint]int32), any: make(map[uint16]int32)}
	for _, l := range ls {
		port := l.Addr.Port()
		t.ports[port/64] |= 1 << (port % 64)
		if !l.Addr.Addr().IsValid() || l.Addr.Addr().IsUnspecified() {
			t.any[port] = l.PID
		} else {
			t.exact[endpointOf(netip.AddrPortFrom(l.Addr.Addr().WithZone(""), port))] = l.PID
		}
	}
	return t
}

func (t *listeners) port(p uint16) bool { return t.ports[p/64]&(1<<(p%64)) != 0 }

// find says whether an address is a listener's, and whose.
func (t *listeners) find(e endpoint) (pid int32, ok bool) {
	if pid, ok = t.exact[e]; ok {
		return pid, true
	}
	pid, ok = t.any[e.port]
	return pid, ok
}
