package bpf

import (
	"errors"
	"strings"
	"testing"
)

const endCommit = `name: jbd2_end_commit
ID: 1280
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;

	field:dev_t dev;	offset:8;	size:4;	signed:0;
	field:char sync_commit;	offset:12;	size:1;	signed:0;
	field:tid_t transaction;	offset:16;	size:4;	signed:0;
	field:char name[32];	offset:20;	size:32;	signed:0;
	field:const char * buf;	offset:56;	size:8;	signed:0;

print fmt: "dev %d,%d", REC->dev
`

func TestParseFormat(t *testing.T) {
	got, err := parseFormat(strings.NewReader(endCommit))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]field{
		"common_type": {0, 2}, "dev": {8, 4}, "sync_commit": {12, 1},
		"transaction": {16, 4}, "name": {20, 32}, "buf": {56, 8},
	} {
		check(t, name, got[name], want)
	}
	check(t, "fields", len(got), 6)
}

func TestParseFormatRefuses(t *testing.T) {
	for _, s := range []string{
		"field:dev_t dev;", "field:dev_t dev; offset:8;", "field:dev_t dev; offset:x; size:4;",
		"field:; offset:8; size:4;", "field:a; offset:-8; size:4;",
	} {
		if _, err := parseFormat(strings.NewReader(s)); !errors.Is(err, ErrLayout) {
			t.Errorf("%q: %v", s, err)
		}
	}
}
