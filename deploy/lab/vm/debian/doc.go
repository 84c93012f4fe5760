// Package debian takes packages of any Debian suite apart into a directory,
// and installs nothing: an apt of its own, with sources, lists, cache and an
// empty status file of its own, asks the machine's own mirror and checks every
// signature with the distribution's keyring.
//
// It knows apt's ordinary client (apt-get(8), apt-cache(8), sources.list(5))
// and dpkg-deb(1), and nothing of what the packages are for.
package debian
