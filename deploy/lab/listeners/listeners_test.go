package listeners

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"
)

func TestOf(t *testing.T) {
	for _, network := range []string{"127.0.0.1:0", "[::1]:0"} {
		l, err := net.Listen("tcp", network)
		if err != nil {
			t.Logf("%s: %v", network, err)
			continue
		}
		defer l.Close()
		got, err := Of(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		if want := l.Addr().(*net.TCPAddr).AddrPort(); !slices.Contains(got, want) {
			t.Errorf("%v is not among %v", want, got)
		}
	}
}

func TestParseAnyAddress(t *testing.T) {
	a, err := parse("00000000000000000000000000000000:2384")
	if err != nil || a != netip.MustParseAddrPort("[::]:9092") {
		t.Errorf("%v, %v", a, err)
	}
}
