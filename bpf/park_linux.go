package bpf

// parkWays: what a thread waits for stands in the registers of its system call,
// which programs get to see since Linux 5.15.
var parkWays = []way{{backend: TpBTF, typed: true, hooks: programs("park_waking", "park_switch")}}
