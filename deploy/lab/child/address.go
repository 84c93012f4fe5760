package child

import (
	"fmt"
	"net"
)

// FreeAddress is one of loopback that nobody listens at, for a child that does
// not say which it took.
func FreeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}
