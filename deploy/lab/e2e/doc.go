// Package e2e tests the live path as its users run it: a real broker on a
// slow disk, the real binary with real probes, a real Jaeger. It needs root.
//
// Its oracles are not ours: DumpLogSegments for what a segment holds, bpftrace
// for the writes, tshark for the times, Jaeger's API for the traces.
package e2e
