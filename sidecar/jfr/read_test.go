package jfr

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// events is what Read makes of a text.
func events(text string) (all []Wait, st Stats, err error) {
	st, err = Read(strings.NewReader(text), func(e *Wait) error {
		all = append(all, *e)
		return nil
	})
	return all, st, err
}

// one is the text of a file with one event.
func one(kind, values string) string {
	return fmt.Sprintf(`{"recording": {"events": [{"type": %q, "values": {%s}}]}}`, kind, values)
}

const some = `"startTime": "2026-11-23T06:28:49.084190123Z", "duration": "PT0.378S", `

func TestEvents(t *testing.T) {
	const start = 1795415329084190123
	us := Thread{OSID: 4196, JavaID: 61, Name: "data-plane-kafka-request-handler-2"}
	thread := `"eventThread": {"group": {"parent": {"parent": null, "name": "system"}, "name": "main"}, "osName": "data-plane-kafka-request-handler-2",
		"osThreadId": 4196, "javaName": "data-plane-kafka-request-handler-2", "javaThreadId": 61}, "stackTrace": {"truncated": false, "frames": [{"line": 1}]}`
	for _, x := range []struct {
		name, text string
		want       Wait
	}{
		{"wait", one("jdk.JavaMonitorEnter", some+thread+`, "monitorClass": {"classLoader": null, "name": "java.lang.Object", "modifiers": 1},
			"previousOwner": {"osName": "x", "osThreadId": 4197, "javaName": "h \"3\" \u00e9\ud83d\ude00", "javaThreadId": 62}, "address": 139784213344256`),
			Wait{Start: start, End: start + 378e6, Thread: us, Class: "java/lang/Object", Address: 139784213344256,
				Owner: Thread{OSID: 4197, JavaID: 62, Name: "h \"3\" é😀"}}},
		{"no owner, no class", one("jdk.JavaMonitorEnter", some+thread+`, "previousOwner": null, "monitorClass": null, "address": -16`),
			Wait{Start: start, End: start + 378e6, Thread: us, Address: 1<<64 - 16}},
		{"address above 2^63", one("jdk.JavaMonitorEnter", some+thread+`, "address": 18446744073709551600`),
			Wait{Start: start, End: start + 378e6, Thread: us, Address: 1<<64 - 16}},
		{"type at the end", `{"recording": {"events": [{"values": {` + some + thread + `}, "type": "jdk.JavaMonitorEnter"}]}}`,
			Wait{Start: start, End: start + 378e6, Thread: us}},
	} {
		got, st, err := events(x.text)
		if err != nil || len(got) != 1 || got[0] != x.want || st != (Stats{Events: 1}) {
			t.Errorf("%s: %v, %+v\n got %+v\nwant %+v", x.name, err, st, got, x.want)
		}
	}
}

func TestStartTimes(t *testing.T) {
	const second = 1795415329e9
	for text, want := range map[string]int64{
		"2026-11-23T06:28:49Z":                second,
		"2026-11-23T07:28:49.5+01:00":         second + 5e8,
		"2026-11-22T20:58:49.000000001-09:30": second + 1,
		"2026-11-23T06:28Z":                   second - 49e9,
		"1969-12-31T23:59:59Z":                -1,
		"2263-01-01T00:00:00Z":                -1,
		"-999999999-01-01T00:00+18:00":        -1,
		"N/A":                                 -1,
	} {
		got, st, err := events(one("jdk.JavaMonitorEnter", fmt.Sprintf(`"startTime": %q, "duration": "PT0S", "eventThread": {"osThreadId": 1}`, text)))
		switch {
		case err != nil:
			t.Errorf("%s: %v", text, err)
		case want < 0 && (len(got) != 0 || st.Broken != 1):
			t.Errorf("%s: %+v, %+v", text, got, st)
		case want >= 0 && (len(got) != 1 || got[0].Start != want || got[0].End != want):
			t.Errorf("%s: %+v, want %d", text, got, want)
		}
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]int64{
		"PT0S": 0, "PT0.000000001S": 1, "PT0.378S": 378e6, "PT1.5S": 15e8, "PT1M2S": 62e9, "PT1H": 3600e9, "PT1H0.25S": 3600e9 + 25e7,
		"": -1, "PT": -1, "PT1": -1, "1S": -1, "PT-0.5S": -1, "PT0.0000000001S": -1, "PT1.5M": -1, "PT.5S": -1, "PT1.S": -1,
		"PT2562047H47M16.854775807S": -1, "PT99999999999999999999S": -1, "P1D": -1, "PT1s": -1,
	} {
		if got := parseDuration([]byte(text)); got != want {
			t.Errorf("%q: got %d, want %d", text, got, want)
		}
	}
}

// What is left out is counted.
func TestStats(t *testing.T) {
	wait := func(values string) string { return `{"type": "jdk.JavaMonitorEnter", "values": {` + values + `}}` }
	all := strings.Join([]string{
		wait(some + `"eventThread": {"osThreadId": 7}`),
		wait(some + `"eventThread": null`),
		wait(some + `"address": 7`),
		wait(`"startTime": null, "duration": "PT1S", "eventThread": {"osThreadId": 7}`),
		wait(`"startTime": "2026-11-23T06:28:49Z", "eventThread": {"osThreadId": 7}`),
		`{"type": "jdk.GarbageCollection", "values": {"startTime": "2026-11-23T06:28:49Z", "gcId": 1, "name": "G1New"}}`,
		`{"type": null}`, `17`, `{}`,
	}, ",\n")
	got, st, err := events(`{"version": [1], "recording": {"size": 1e3, "events": [` + all + `]}}`)
	if want := (Stats{Events: 9, NoThread: 2, Broken: 3, Others: 3}); err != nil || len(got) != 1 || st != want {
		t.Errorf("%v, %d events, %+v; want %+v", err, len(got), st, want)
	}
}

func TestErrors(t *testing.T) {
	whole := "{\n\"recording\": {\n\"events\": [\n{\"type\": \"a\", \"values\": {}}\n]}}\n"
	if _, _, err := events(whole); err != nil {
		t.Error(err)
	}
	for _, x := range []struct {
		text, says string
		is         error
	}{
		{"FLR\x00\x00\x02", "jfr print --json", ErrBinary},
		{"", "line 1", io.ErrUnexpectedEOF},
		{"{}", "jfr print", ErrFormat},
		{"[]", "jfr print", ErrFormat},
		{`{"recording": {"events": null}}`, "jfr print", ErrFormat},
		{whole[:40], "line 4", io.ErrUnexpectedEOF},
		{whole + "\n{", `line 7: '{' instead of the end`, nil},
		{strings.Replace(whole, ": [", " [", 1), `line 3: '[' instead of a colon`, nil},
		{strings.Replace(whole, "{}}", "{},}", 1), "line 4: '}' instead of a key", nil},
		{strings.Replace(whole, "{}}", "nul}", 1), "line 4: '}' instead of null", nil},
		{strings.Replace(whole, "{}}", "0x1}", 1), "line 4: 'x' instead of a comma or the end", nil},
		{strings.Replace(whole, "{}}", "-}", 1), "line 4: '}' instead of a digit", nil},
		{strings.Replace(whole, "{}}", `"\q"}`, 1), "line 4: 'q' instead of an escape", nil},
		{strings.Replace(whole, "{}}", `"\u00g0"}`, 1), "line 4: 'g' instead of a hexadecimal digit", nil},
		{strings.Replace(whole, "{}}", strings.Repeat("[", 300), 1), "more than 256", nil},
	} {
		_, _, err := events(x.text)
		if err == nil || !strings.Contains(err.Error(), x.says) || x.is != nil && !errors.Is(err, x.is) {
			t.Errorf("%.60q: %v; should say %q", x.text, err, x.says)
		}
	}
}

// The error of who takes the events ends the reading, and comes back as it is.
func TestStop(t *testing.T) {
	enough := errors.New("enough")
	wait := `{"type": "jdk.JavaMonitorEnter", "values": {` + some + `"eventThread": {"osThreadId": 7}}}`
	text := `{"recording": {"events": [` + strings.Join(slices.Repeat([]string{wait}, 5), ",") + `]}}`
	n := 0
	_, err := Read(strings.NewReader(text), func(*Wait) error {
		if n++; n == 2 {
			return enough
		}
		return nil
	})
	if err != enough || n != 2 {
		t.Errorf("%v after %d", err, n)
	}
}

// What is long is read over, and not kept.
func TestLongText(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	text := one("jdk.JavaMonitorEnter", some+`"`+long+`": {"`+long+`": "`+long+`"}, "eventThread": {"osThreadId": 7, "javaName": "`+long+`"}, "address": 1`+strings.Repeat("0", 1<<20))
	got, _, err := events(text)
	if err != nil || len(got) != 1 || got[0].Thread.Name != long[:maxText] || got[0].Address != 0 {
		t.Errorf("%v, %d events", err, len(got))
	}
}
