// Package govern tests that the probes of a JVM under load can be taken off and
// put on again: ten thousand times without harm to it, and by the governor, as
// soon as its threads wait too often.
package govern
