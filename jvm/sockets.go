package jvm

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

const (
	maxSocketTable = 64 << 20 // some 400,000 sockets
	maxFDs         = 1 << 21  // above any sane RLIMIT_NOFILE
	stateListen    = "0A"     // TCP_LISTEN (include/net/tcp_states.h)
)

// socket is a listening socket of a network namespace.
type socket struct {
	inode uint64
	addr  netip.AddrPort
}

// listening reads the process's own listening sockets; when its descriptors
// may not be seen, all of its network namespace, and sure is false.
func (p proc) listening() (addrs []netip.AddrPort, sure bool, err error) {
	var all []socket
	for _, name := range []string{"net/tcp", "net/tcp6"} {
		s, err := p.socketTable(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // no IPv6 here
			return nil, false, err
		}
		all = append(all, s...)
	}
	wanted := make(map[uint64]netip.AddrPort, len(all))
	for _, s := range all {
		wanted[s.inode] = s.addr
	}
	own, err := p.holds(wanted)
	for _, s := range all {
		if err != nil || own[s.inode] {
			addrs = append(addrs, s.addr)
		}
		if len(addrs) == maxListeners {
			break
		}
	}
	return addrs, err == nil, nil
}

func (p proc) socketTable(name string) ([]socket, error) {
	f, err := os.Open(p.path(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []socket
	lines := bufio.NewScanner(io.LimitReader(f, maxSocketTable))
	lines.Scan() // the header
	for lines.Scan() {
		s, ok, err := parseSocket(lines.Text())
		if err != nil {
			return nil, fmt.Errorf("parse %s: %w", p.path(name), err)
		}
		if !ok {
			break // those that listen come first (tcp_ipv4.c: tcp_get_idx)
		}
		out = append(out, s)
	}
	return out, lines.Err()
}

// parseSocket reads one line of /proc/net/tcp[6]; ok is false for what does
// not listen.
func parseSocket(line string) (s socket, ok bool, err error) {
	f := strings.Fields(line)
	if len(f) < 10 || f[3] != stateListen {
		return socket{}, false, nil
	}
	host, port, _ := strings.Cut(f[1], ":")
	var words [16]byte
	if len(host) != 8 && len(host) != 32 {
		return socket{}, false, fmt.Errorf("address of %d digits", len(host))
	}
	n, err := hex.Decode(words[:], []byte(host))
	if err != nil {
		return socket{}, false, err
	}
	for i := 0; i < n; i += 4 { // each word is printed in the order of the machine
		binary.NativeEndian.PutUint32(words[i:], binary.BigEndian.Uint32(words[i:]))
	}
	addr, _ := netip.AddrFromSlice(words[:n])
	p, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		return socket{}, false, err
	}
	inode, err := strconv.ParseUint(f[9], 10, 64)
	if err != nil {
		return socket{}, false, err
	}
	return socket{inode, netip.AddrPortFrom(addr.Unmap(), uint16(p))}, true, nil
}

// holds says which of the wanted sockets are among the process's descriptors.
// A broker has a descriptor a segment, so it stops as soon as it can.
func (p proc) holds(wanted map[uint64]netip.AddrPort) (map[uint64]bool, error) {
	dir, err := os.Open(p.path("fd"))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	own := make(map[uint64]bool)
	for seen := 0; seen < maxFDs && len(own) < len(wanted); {
		names, err := dir.Readdirnames(1024)
		for _, name := range names {
			link, err := os.Readlink(p.path("fd/" + name))
			if errors.Is(err, fs.ErrPermission) { // the directory may be read with fewer rights
				return nil, err
			}
			if n, ok := socketInode(link); ok {
				if _, ok := wanted[n]; ok {
					own[n] = true
				}
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		seen += len(names)
	}
	return own, nil
}

func socketInode(link string) (uint64, bool) {
	s, ok := strings.CutPrefix(link, "socket:[")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimSuffix(s, "]"), 10, 64)
	return n, err == nil
}
