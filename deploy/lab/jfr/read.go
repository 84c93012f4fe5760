package jfr

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/child"
	"github.com/tailspan/tailspan/deploy/lab/jdk"
)

// Wait is one jdk.JavaMonitorEnter.
type Wait struct {
	Start    time.Time
	Duration time.Duration
	Thread   Thread
	Class    string // of the object: java/lang/Object
	Previous Thread // who had it last, as the JVM noted when it let go
}

// Thread is one of the JVM. TID 0: not known.
type Thread struct {
	TID  int32 // the kernel's, in the JVM's pid namespace
	Name string
}

// ErrLost says that the JVM could not keep up and left events out.
var ErrLost = errors.New("the JVM lost events of its recording")

// Waits reads a recording of any release, with the jfr tool of the machine's
// newest JDK.
func Waits(ctx context.Context, file string) ([]Wait, error) {
	tool, err := jdk.Tool("jfr")
	if err != nil {
		return nil, err
	}
	cmd := child.Guard(exec.CommandContext(ctx, tool, "print", "--json", "--events", "jdk.JavaMonitorEnter,jdk.DataLoss", file))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("jfr print: %w: %s", err, stderr.String())
	}
	var all struct {
		Recording struct {
			Events []struct {
				Type   string `json:"type"`
				Values values `json:"values"`
			} `json:"events"`
		} `json:"recording"`
	}
	if err := json.Unmarshal(out, &all); err != nil {
		return nil, fmt.Errorf("parse jfr print: %w", err)
	}
	var waits []Wait
	for _, e := range all.Recording.Events {
		if e.Type == "jdk.DataLoss" {
			return nil, ErrLost
		}
		w, err := e.Values.wait()
		if err != nil {
			return nil, fmt.Errorf("parse jfr print: %w", err)
		}
		waits = append(waits, w)
	}
	return waits, nil
}

type values struct {
	StartTime     time.Time
	Duration      string
	EventThread   *thread
	MonitorClass  struct{ Name string }
	PreviousOwner *thread
}

type thread struct {
	OSThreadID int32
	OSName     string
	JavaName   string
}

func (v *values) wait() (w Wait, err error) {
	w = Wait{Start: v.StartTime, Thread: v.EventThread.plain(), Class: strings.ReplaceAll(v.MonitorClass.Name, ".", "/"),
		Previous: v.PreviousOwner.plain()}
	w.Duration, err = duration(v.Duration)
	return w, err
}

func (t *thread) plain() Thread {
	if t == nil {
		return Thread{}
	}
	if t.JavaName == "" {
		return Thread{t.OSThreadID, t.OSName}
	}
	return Thread{t.OSThreadID, t.JavaName}
}

// isoDuration is what java.time.Duration prints of less than some days.
var isoDuration = regexp.MustCompile(`^PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d{1,9}))?S)?$`)

func duration(text string) (time.Duration, error) {
	m := isoDuration.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("duration %q", text)
	}
	var n [5]int64
	for i, digits := range m {
		if i == 4 {
			digits = (digits + "000000000")[:9]
		}
		if i > 0 && digits != "" {
			n[i], _ = strconv.ParseInt(digits, 10, 64) // digits, says the pattern
		}
	}
	return time.Duration(n[1])*time.Hour + time.Duration(n[2])*time.Minute + time.Duration(n[3])*time.Second + time.Duration(n[4]), nil
}
