// Package jfr has a JVM record its own waits for monitors (jdk.JavaMonitorEnter,
// from the first nanosecond), and reads what it recorded: the JVM's word, which
// Tailspan's waits are held against.
package jfr
