// Bare-loop reads a pcap with gopacket, without copying, decodes the layers of
// its packets and counts those with TCP: the least that any program on that
// library does with a capture, for bench-replay to compare with.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// readAhead is Tailspan's own: the two differ in what they do with packets.
const readAhead = 1 << 18

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: bare-loop FILE.pcap")
		os.Exit(64)
	}
	n, err := count(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "bare-loop:", err)
		os.Exit(1)
	}
	fmt.Println(n)
}

func count(path string) (n int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r, err := pcapgo.NewReader(bufio.NewReaderSize(f, readAhead))
	if err != nil {
		return 0, err
	}
	var eth layers.Ethernet
	var ip4 layers.IPv4
	var ip6 layers.IPv6
	var tcp layers.TCP
	var payload gopacket.Payload
	parser := gopacket.NewDecodingLayerParser(layers.LayerTypeEthernet, &eth, &ip4, &ip6, &tcp, &payload)
	decoded := make([]gopacket.LayerType, 0, 8)
	for {
		data, _, err := r.ZeroCopyReadPacketData()
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		_ = parser.DecodeLayers(data, &decoded) // what is not TCP is not counted
		for _, l := range decoded {
			if l == layers.LayerTypeTCP {
				n++
			}
		}
	}
}
