package config

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestReport(t *testing.T) {
	c, err := Parse("report", strings.Fields("a.pcapng b.pcapng --slo 20ms --port 9093 --message-id-header id --topic-ids t.json"), os.Stderr)
	if err != nil || c.SLO != 20*time.Millisecond || c.Page != "report.html" || !slices.Equal(c.Args, []string{"a.pcapng", "b.pcapng"}) || c.Port != 9093 || c.MessageIDHeader != "id" {
		t.Errorf("%+v, %v", c, err)
	}
	for _, args := range []string{"", "a --slo 0s", "a -o=", "a --print requests"} {
		if _, err := Parse("report", strings.Fields(args), os.Stderr); err == nil {
			t.Errorf("report %s: taken", args)
		}
	}
}

func TestRecordings(t *testing.T) {
	for arg, want := range map[string]Recording{
		"x.pcapng":                         {"x", "x.pcapng"},
		"dir/x.pcapng":                     {"x", "dir/x.pcapng"},
		"xfs=x.pcapng":                     {"xfs", "x.pcapng"},
		"ext4, data=ordered=/tmp/x.pcapng": {"ext4, data=ordered", "/tmp/x.pcapng"},
		"xfs=/tmp/a=b.pcapng":              {"xfs", "/tmp/a=b.pcapng"},
		"/tmp/a=b.pcapng":                  {"a=b", "/tmp/a=b.pcapng"},
	} {
		c := Config{Args: []string{arg}}
		if got := c.Recordings()[0]; got != want {
			t.Errorf("%s: %+v, want %+v", arg, got, want)
		}
	}
	for args, ok := range map[string]bool{
		"a b": true, "a=x b=x --format json": true, "a=x a=y b=z -o c.html": true,
		"a": false, "a=x a=y": false, "a b -o -": false, "a b --format jsonl": false, "=x b": false, "a= b": false, "a b --slo 0s": false,
		"a b c d e f g h i j k l m": true, "a b c d e f g h i j k l -o c.html": true, "-o c.html a b c d e f g h i j k l m": false,
	} {
		if _, err := Parse("compare", strings.Fields(args), os.Stderr); (err == nil) != ok {
			t.Errorf("compare %s: %v", args, err)
		}
	}
}
