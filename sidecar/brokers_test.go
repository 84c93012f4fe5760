package sidecar

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/tailspan/tailspan/jvm"
	"github.com/tailspan/tailspan/sidecar/config"
	"github.com/tailspan/tailspan/sidecar/recording"
)

// A recording knows the encrypted listeners apart from those that are read,
// and so does the assembler, live and in a replay.
func TestEncryptedListeners(t *testing.T) {
	plain, tls := netip.MustParseAddrPort("10.0.0.1:9092"), netip.MustParseAddrPort("10.0.0.1:9093")
	s, err := New(Options{Config: config.Config{}, Logger: slog.New(slog.DiscardHandler), Stdout: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	l := &live{Sidecar: s}
	l.newDecoder(l.decoderOptions())
	for _, c := range []struct {
		of        []jvm.Listener
		encrypted bool
	}{
		{[]jvm.Listener{{Addr: plain, Protocol: "SASL_PLAINTEXT"}}, false},
		{[]jvm.Listener{{Addr: plain, Protocol: "PLAINTEXT"}, {Addr: tls, Protocol: "SSL"}}, true},
		{[]jvm.Listener{{Addr: tls, Protocol: "SASL_SSL"}}, true},
	} {
		kept := l.broker(&jvm.Broker{Process: jvm.Process{PID: 42}, Listeners: c.of})
		text, err := json.Marshal(recording.Fact{Broker: &kept})
		var f recording.Fact
		if err != nil || json.Unmarshal(text, &f) != nil || strings.Contains(string(text), "encrypted") != c.encrypted {
			t.Fatalf("%s, %v", text, err)
		}
		s.adopt(*f.Broker, nil)
		if id := s.identity(42); id.Encrypted != c.encrypted {
			t.Errorf("%+v: identity says encrypted %v", c.of, id.Encrypted)
		}
		for _, x := range s.listeners() {
			if x.Addr == tls {
				t.Errorf("%+v: the packets of an encrypted listener are asked for", c.of)
			}
		}
		if want := c.encrypted; slices.Contains(f.Broker.Encrypted, tls) != want {
			t.Errorf("%+v: recorded as %+v", c.of, f.Broker)
		}
	}
}
