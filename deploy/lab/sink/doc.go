// Package sink takes what is sent by OTLP, over gRPC and over HTTP, and keeps
// every byte as it came: within this process, or as a collector of its own that
// can be stopped, killed and started again. It is no collector of any use: it
// looks into nothing, says yes to everything, and forgets nothing.
package sink
