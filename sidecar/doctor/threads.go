package doctor

import "github.com/tailspan/tailspan/sidecar/rights"

// threadNames says whether the JVM can be asked for its threads' names. It is
// not asked. Short names are no fault: no span is missing for them.
func (p *patient) threadNames() {
	const name = "thread names"
	if p.LibJVM == "" {
		return // that is told already
	}
	foreign := int(p.UID) != p.o.uid
	err := p.o.ask(p.Process)
	switch {
	case foreign && !p.o.held.Has(rights.Ask):
		p.add(name, OK, "", "the kernel's 15 bytes; the JVM is another user's, with %v it could be asked for the whole", rights.Ask)
	case err != nil:
		p.add(name, OK, "", "the kernel's 15 bytes; the JVM cannot be asked for the whole: %s", oneLine(err))
	default:
		p.add(name, OK, "", "whole, by one thread dump when tracing begins (--thread-names=false: none)")
	}
}
