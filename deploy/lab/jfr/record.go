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

// Options have a JVM record from its start, and write the recording to a file
// when it ends in order (by SIGTERM, too). The settings go beside it. Where
// HotSpot trusts the TSC it would stamp by that, at a frequency that it measured
// for some ms (runtime/rdtsc, UseFastUnorderedTimeStamps), and be off by
// milliseconds after half a minute: it is an oracle with CLOCK_MONOTONIC only.
func Options(file string) ([]string, error) {
	if err := os.WriteFile(file+".jfc", []byte(settings), 0o644); err != nil {
		return nil, err
	}
	return []string{"-XX:+UnlockExperimentalVMOptions", "-XX:-UseFastUnorderedTimeStamps",
		fmt.Sprintf("-XX:StartFlightRecording=settings=%s,filename=%s,dumponexit=true", file+".jfc", file)}, nil
}
