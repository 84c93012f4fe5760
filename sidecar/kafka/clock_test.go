package kafka

import "time"

var benchStart = time.Now()

// nanotime is as the live path has it.
func nanotime() int64 { return int64(time.Since(benchStart)) }
