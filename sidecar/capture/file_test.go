package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// readAll reads a file's blocks, in copies, until an error.
func readAll(r io.Reader) (blocks []Block, err error) {
	f, err := NewFile(r)
	if err != nil {
		return nil, err
	}
	for {
		b, err := f.Next()
		if err != nil {
			return blocks, err
		}
		b.Packet = clonePacket(b.Packet)
		blocks = append(blocks, b)
	}
}

func TestFileAgainstPcapgo(t *testing.T) {
	blocks, err := readAll(bytes.NewReader(readFixture(t)))
	if err != io.EOF {
		t.Fatal(err)
	}
	r, err := pcapgo.NewNgReader(bytes.NewReader(readFixture(t)), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range blocks {
		data, ci, err := r.ReadPacketData()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(data, b.Data) || ci.Timestamp.UnixNano() != b.Unix || ci.Length != b.WireLength || b.LinkType != LinkType(r.LinkType()) {
			t.Fatalf("block %d: %+v, should be %+v", i, b, ci)
		}
	}
	if _, _, err := r.ReadPacketData(); err != io.EOF {
		t.Fatalf("pcapgo goes on: %v", err)
	}
}

// writePcap has pcapgo write packets.
func writePcap(t testing.TB, nanos bool, packets []Packet) []byte {
	t.Helper()
	var b bytes.Buffer
	w := pcapgo.NewWriter(&b)
	if nanos {
		w = pcapgo.NewWriterNanos(&b)
	}
	if err := w.WriteFileHeader(1<<18, layers.LinkTypeRaw); err != nil {
		t.Fatal(err)
	}
	for _, p := range packets {
		ci := gopacket.CaptureInfo{Timestamp: time.Unix(0, p.Unix), CaptureLength: len(p.Data), Length: len(p.Data)}
		if err := w.WritePacket(ci, p.Data); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func TestPcap(t *testing.T) {
	packets, _, _ := conversation(testRand(t, 1), 2, 5)
	for _, nanos := range []bool{false, true} {
		blocks, err := readAll(bytes.NewReader(writePcap(t, nanos, packets)))
		if err != io.EOF || len(blocks) != len(packets) {
			t.Fatal(len(blocks), err)
		}
		for i, b := range blocks {
			want := packets[i].Unix
			if !nanos {
				want -= want % 1000
			}
			if b.Unix != want || !bytes.Equal(b.Data, packets[i].Data) || b.LinkType != LinkRaw {
				t.Fatalf("packet %d: %+v", i, b)
			}
		}
	}
}

// A file that was cut off gives what is whole, and then says so.
func TestTruncated(t *testing.T) {
	packets, _, _ := conversation(testRand(t, 2), 1, 1)
	whole := writePcap(t, true, packets[:5])
	sizes := map[int]int{pcapHeader: 0} // where packets end: how many there are
	at := pcapHeader
	for i, p := range packets[:5] {
		at += pcapPacketHeader + len(p.Data)
		sizes[at] = i + 1
	}
	n := 0
	for cut := pcapHeader; cut <= len(whole); cut++ {
		blocks, err := readAll(bytes.NewReader(whole[:cut]))
		want := ErrTruncated
		if c, ok := sizes[cut]; ok {
			n, want = c, io.EOF
		}
		if len(blocks) != n || !errors.Is(err, want) {
			t.Fatalf("cut at %d: %d packets, %v", cut, len(blocks), err)
		}
	}
	ng := readFixture(t)
	all, _ := readAll(bytes.NewReader(ng))
	blocks, err := readAll(bytes.NewReader(ng[:len(ng)/2]))
	if !errors.Is(err, ErrTruncated) || len(blocks) == 0 || len(blocks) >= len(all) {
		t.Fatal(len(blocks), err)
	}
}

func TestOpenFile(t *testing.T) {
	if _, err := OpenFile(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "junk")
	if err := os.WriteFile(path, []byte("this is no capture at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFile(path); !errors.Is(err, ErrFormat) {
		t.Fatal(err)
	}
	f, err := OpenFile(fixture)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Next(); err != nil {
		t.Fatal(err)
	}
}

// ngBlock builds a pcapng block.
func ngBlock(o binary.AppendByteOrder, kind uint32, body []byte) []byte {
	for len(body)%4 > 0 {
		body = append(body, 0)
	}
	n := uint32(len(body) + 12)
	b := o.AppendUint32(o.AppendUint32(nil, kind), n)
	return o.AppendUint32(append(b, body...), n)
}

// Interfaces of any link type are handed out as they are, in either byte
// order, with the resolution and offset of their own.
func TestInterfaces(t *testing.T) {
	for _, o := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		section := o.AppendUint32(nil, 0x1a2b3c4d)
		section = o.AppendUint64(o.AppendUint16(o.AppendUint16(section, 1), 0), ^uint64(0))
		file := ngBlock(o, blockSection, section)
		describe := func(link uint16, options ...byte) {
			file = append(file, ngBlock(o, blockInterface, append(o.AppendUint32(o.AppendUint16(o.AppendUint16(nil, link), 0), 0), options...))...)
		}
		resolution := o.AppendUint16(o.AppendUint16(nil, optionResolution), 1)
		offset := o.AppendUint16(o.AppendUint16(nil, optionOffset), 8)
		describe(uint16(LinkSLL2))
		describe(uint16(LinkUser0), append(resolution, 9, 0, 0, 0)...)
		describe(uint16(LinkEthernet), append(append(resolution, 0x80|10, 0, 0, 0), o.AppendUint64(offset, 100)...)...)
		for i, stamp := range []uint64{1_500_000, 1_500_000_000, 1024 + 512} {
			b := o.AppendUint32(nil, uint32(i))
			b = o.AppendUint32(o.AppendUint32(b, uint32(stamp>>32)), uint32(stamp))
			b = o.AppendUint32(o.AppendUint32(b, 3), 9)
			file = append(file, ngBlock(o, blockEnhanced, append(b, "abc"...))...)
			file = append(file, ngBlock(o, 0x0bad, []byte("unknown blocks are passed over"))...)
		}
		blocks, err := readAll(bytes.NewReader(file))
		if err != io.EOF || len(blocks) != 3 {
			t.Fatal(len(blocks), err)
		}
		for i, want := range []Block{
			{0, Packet{1_500_000_000, LinkSLL2, []byte("abc"), 9}},
			{1, Packet{1_500_000_000, LinkUser0, []byte("abc"), 9}},
			{2, Packet{101_500_000_000, LinkEthernet, []byte("abc"), 9}},
		} {
			if b := blocks[i]; b.Interface != want.Interface || b.Unix != want.Unix || b.LinkType != want.LinkType || b.WireLength != 9 || string(b.Data) != "abc" {
				t.Fatalf("%+v, should be %+v", b, want)
			}
		}
	}
}

// A block larger than the read buffer is read whole.
func TestLargeBlock(t *testing.T) {
	file := readFixture(t)
	end := 0
	for range 2 { // section, interface
		end += int(binary.LittleEndian.Uint32(file[end+4:]))
	}
	body := binary.LittleEndian.AppendUint64(make([]byte, 4), 0)
	body = binary.LittleEndian.AppendUint64(body, readAhead*2|readAhead*2<<32)
	large := bytes.Repeat([]byte("x"), readAhead*2)
	file = append(file[:end:end], ngBlock(binary.LittleEndian, blockEnhanced, append(body, large...))...)
	blocks, err := readAll(bytes.NewReader(file))
	if err != io.EOF || len(blocks) != 1 || !bytes.Equal(blocks[0].Data, large) {
		t.Fatal(len(blocks), err)
	}
	if _, err = readAll(bytes.NewReader(file[:len(file)-9])); !errors.Is(err, ErrTruncated) {
		t.Fatal(err)
	}
}

func FuzzFile(f *testing.F) {
	packets, _, _ := conversation(testRand(f, 3), 1, 1)
	f.Add(writePcap(f, true, packets[:4]))
	f.Add(readFixture(f)[:4000])
	f.Fuzz(func(t *testing.T, b []byte) {
		blocks, err := readAll(bytes.NewReader(b))
		if err == nil {
			t.Fatal("no end")
		}
		total := 0
		for _, x := range blocks {
			total += len(x.Data)
		}
		if total > len(b) {
			t.Fatalf("%d bytes of data out of %d", total, len(b))
		}
	})
}
