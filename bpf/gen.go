package bpf

// Needs clang, llvm-strip and libbpf's headers (libbpf-dev); building the
// module needs none of them, for the objects are committed. TestGenerate
// checks that they are what the source compiles to.
//go:generate go run github.com/cilium/ebpf/cmd/bpf2go -target amd64,arm64 -no-global-types -tags linux probes kern/probes.bpf.c -- -mcpu=v2 -O2 -Wall -Wextra -Werror
