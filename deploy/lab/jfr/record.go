package jfr

import (
	"fmt"
	"os"
)

// settings are the same in all releases: only from 17 on can they be given on the
// command line. No stack traces, for these cost more than the wait.
const settings = `<?xml version="1.0" encoding="UTF-8"?>
<configuration version="2.0" label="waits">
  <event name="jdk.JavaMonitorEnter">
    <setting name="enabled">true</setting>
    <setting name="threshold">0 ns</setting>
    <setting name="stackTrace">false</setting>
  </event>
  <event name="jdk.DataLoss">
    <setting name="enabled">true</setting>
  </event>
</configuration>
`

// ExactClock has a JVM stamp events by CLOCK_MONOTONIC. Where HotSpot trusts the
// TSC (UseFastUnorderedTimeStamps; cpu/x86/rdtsc_x86.cpp) it would stamp by that,
// at a frequency that it reads from the processor's name or measures for some ms,
// and be off by milliseconds after half a minute: without this it is no oracle.
var ExactClock = []string{"-XX:+UnlockExperimentalVMOptions", "-XX:-UseFastUnorderedTimeStamps"}

// Options have a JVM record from its start, by its usual clock or the one of
// more options, and write the recording to a file when it ends in order (by
// SIGTERM, too). The settings go beside it.
func Options(file string, more ...string) ([]string, error) {
	if err := os.WriteFile(file+".jfc", []byte(settings), 0o644); err != nil {
		return nil, err
	}
	return append([]string{fmt.Sprintf("-XX:StartFlightRecording=settings=%s,filename=%s,dumponexit=true", file+".jfc", file)}, more...), nil
}
