package sidecar

import (
	"fmt"
	"testing"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/jfr"
)

func TestFindThreads(t *testing.T) {
	const handler, comm15 = "data-plane-kafka-request-handler-", "data-plane-kafk"
	h := func(n int) string { return fmt.Sprint(handler, n) }
	for _, x := range []struct {
		name    string
		seen    map[int32]string
		threads []jfr.Thread
		want    []int32 // 0: not known
	}{
		{"nothing known", nil, []jfr.Thread{{OSID: 7, Name: h(0)}}, []int32{0}},
		{"the host's numbers, names cut", map[int32]string{7: comm15, 8: comm15},
			[]jfr.Thread{{OSID: 7, Name: h(0)}, {OSID: 8, Name: h(1)}}, []int32{7, 8}},
		{"names cut as from JDK 22 on", map[int32]string{7: "data-pl..dler-0", 8: "data-pl..ler-11"},
			[]jfr.Thread{{OSID: 7, Name: h(0)}, {OSID: 8, Name: h(11)}}, []int32{7, 8}},
		{"one not seen", map[int32]string{7: comm15}, []jfr.Thread{{OSID: 9, Name: "s"}, {OSID: 7, Name: h(0)}, {OSID: 1 << 40, Name: "t"}}, []int32{9, 7, 0}},
		{"one without a name", map[int32]string{7: comm15, 8: ""}, []jfr.Thread{{OSID: 8, Name: "s"}, {OSID: 7, Name: h(0)}}, []int32{8, 7}},
		{"other numbers, full names", map[int32]string{4007: h(0), 4008: h(1)},
			[]jfr.Thread{{OSID: 7, Name: h(0)}, {OSID: 8, Name: h(1)}, {OSID: 9, Name: h(2)}}, []int32{4007, 4008, 0}},
		{"other numbers, names cut", map[int32]string{4007: comm15, 4008: comm15},
			[]jfr.Thread{{OSID: 7, Name: h(0)}, {OSID: 8, Name: h(1)}}, []int32{0, 0}},
		{"a number of somebody else", map[int32]string{7: "kafka-scheduler", 8: comm15},
			[]jfr.Thread{{OSID: 7, Name: h(0)}, {OSID: 8, Name: h(1)}, {OSID: 9, Name: "s"}}, []int32{0, 8, 0}},
		{"a name that two have", map[int32]string{7: "Thread-1", 8: "Thread-1"},
			[]jfr.Thread{{OSID: 8, Name: "Thread-1"}, {OSID: 9, Name: "Thread-1"}}, []int32{8, 9}},
		{"the name rather than the number", map[int32]string{7: h(0), 8: h(1)}, []jfr.Thread{{OSID: 7, Name: h(1)}, {OSID: 9, Name: "s"}}, []int32{8, 0}},
		{"no Java thread", map[int32]string{7: "VM Thread"}, []jfr.Thread{{OSID: 7}, {JavaID: 3, Name: "virtual"}}, []int32{0, 0}},
	} {
		var all threadTable
		for i, j := range x.threads {
			if n := all.of(j); int(n) != i+1 || all.of(j) != n {
				t.Fatalf("%s: thread %d has number %d", x.name, i, n)
			}
		}
		all.find(5, x.seen)
		for i, tid := range x.want {
			want := event.Thread{PID: 5, TID: tid, Name: x.threads[i].Name}
			if tid == 0 {
				want = event.Thread{}
			}
			if got := all.host[i+1]; got != want {
				t.Errorf("%s: %+v is %+v, want %+v", x.name, x.threads[i], got, want)
			}
		}
		if all.of(jfr.Thread{}) != 0 || all.host[0] != (event.Thread{}) {
			t.Errorf("%s: nobody is somebody", x.name)
		}
	}
}
