package jfr

import (
	"os"
	"strings"
	"testing"
	"time"
)

// The fixture is what `jfr print --json --events jdk.JavaMonitorEnter` of
// OpenJDK 17.0.15 printed of Kafka 4.1.1, eleven waits of 8,106: class loading
// at the start, then handlers and network threads.
func TestFixture(t *testing.T) {
	b, err := os.ReadFile("testdata/kafka-4.1.1-jdk17.json")
	if err != nil {
		t.Fatal(err)
	}
	all, st, err := events(string(b))
	if err != nil || len(all) != 11 || st != (Stats{Events: 11}) {
		t.Fatalf("%v, %d waits, %+v", err, len(all), st)
	}
	first := Wait{
		Start: time.Date(2026, 11, 23, 15, 57, 13, 1174191, time.UTC).UnixNano(), Class: "java/util/jar/JarFile", Address: 140259807485584,
		Thread: Thread{OSID: 9975, JavaID: 26, Name: "kafka-1-raft-outbound-request-thread"},
		Owner:  Thread{OSID: 9734, JavaID: 1, Name: "main"},
	}
	if first.End = first.Start + 13463661; all[0] != first {
		t.Errorf("got %+v, want %+v", all[0], first)
	}
	for _, w := range all {
		if w.Class == "" || w.Address == 0 || w.Thread.OSID == 0 || w.Thread.Name == "" || w.Owner.OSID == 0 || w.End <= w.Start {
			t.Errorf("%+v", w)
		}
	}
	_, _, err = events(string(b[:len(b)-6]))
	if err == nil || !strings.Contains(err.Error(), "unexpected EOF") {
		t.Errorf("cut off: %v", err)
	}
}

// This one has stack traces, of Temurin 25.0.3: two threads that meet at a
// monitor, and JFR's own.
func TestFixture25(t *testing.T) {
	b, err := os.ReadFile("testdata/contend-jdk25.json")
	if err != nil {
		t.Fatal(err)
	}
	all, st, err := events(string(b))
	if err != nil || len(all) != 3 || st != (Stats{Events: 3}) {
		t.Fatalf("%v, %d waits, %+v", err, len(all), st)
	}
	first, second := all[0].Thread.Name, all[1].Thread.Name
	if first+second != "firstsecond" && first+second != "secondfirst" || all[0].Class != "Contend$Bone" || all[0].Owner.Name != second || all[1].Owner.Name != first ||
		all[0].Address != all[1].Address || all[2].Thread.Name != "JFR Periodic Tasks" || all[2].Owner.Name != "Attach Listener" {
		t.Errorf("%+v", all)
	}
}
