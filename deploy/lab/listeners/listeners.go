// Package listeners says where a process listens, from /proc alone, so that a
// test can hold the lab to loopback.
package listeners

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const stateListen = "0A"

// Of lists the TCP addresses that a process listens on.
func Of(pid int) ([]netip.AddrPort, error) {
	own, err := sockets(pid)
	if err != nil {
		return nil, err
	}
	var out []netip.AddrPort
	for _, table := range []string{"tcp", "tcp6"} {
		if err := scan(fmt.Sprintf("/proc/%d/net/%s", pid, table), own, &out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// sockets are the inodes of the process's sockets.
func sockets(pid int) (map[string]bool, error) {
	fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		return nil, err
	}
	own := map[string]bool{}
	for _, fd := range fds {
		target, err := os.Readlink(fd)
		if err != nil {
			continue // closed meanwhile
		}
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			own[strings.TrimSuffix(inode, "]")] = true
		}
	}
	return own, nil
}

func scan(table string, own map[string]bool, out *[]netip.AddrPort) error {
	f, err := os.Open(table)
	if err != nil {
		return err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		field := strings.Fields(lines.Text())
		if len(field) < 10 || field[3] != stateListen || !own[field[9]] {
			continue
		}
		a, err := parse(field[1])
		if err != nil {
			return fmt.Errorf("%s: %w", table, err)
		}
		*out = append(*out, a)
	}
	return nil
}

// parse reads the kernel's notation: 32-bit words in host order (little
// endian on all that we run on), then the port.
func parse(s string) (netip.AddrPort, error) {
	addr, port, _ := strings.Cut(s, ":")
	b, err := hex.DecodeString(addr)
	if err != nil || len(b)%4 != 0 {
		return netip.AddrPort{}, fmt.Errorf("address %q", s)
	}
	for word := range slices.Chunk(b, 4) {
		slices.Reverse(word)
	}
	ip, ok := netip.AddrFromSlice(b)
	n, err := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil {
		return netip.AddrPort{}, fmt.Errorf("address %q", s)
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(n)), nil
}
