package assemble

// due finishes the request, or looks again later while something that it
// links to is unfinished and there is hope.
func (r *request) due(a *Assembler) {
	if r.finished {
		return
	}
	deadline := r.closed + linger + patience
	if a.now < deadline {
		if !r.settled(r.gather(nil), r.gatherFsyncs(nil)) {
			a.after(min(a.now+linger/4, deadline), r)
			return
		}
	}
	r.finish()
}

// settled says whether the ends of all links are known.
func (r *request) settled(waits []*wait, fsyncs []*fsync) bool {
	if r.asked || r.before.request != nil && !r.before.request.finished {
		return false
	}
	for i := range r.parts {
		p := &r.parts[i]
		if w := p.write; w != nil && !r.a.quiet(w) || !p.first.settled(r) {
			return false
		}
	}
	for _, f := range fsyncs {
		if !r.a.quietIn(f.ev.Device, f.ev.Start, f.ev.End) {
			return false
		}
	}
	for _, w := range waits {
		if !w.settled(r.a) {
			return false
		}
	}
	for b := range r.roots(fsyncs) {
		if b.open() {
			return false
		}
	}
	return true
}

// finish resolves all links to values, lets go of everything else's objects,
// prints the rows and offers the trace.
func (r *request) finish() {
	a := r.a
	a.settleJoins(r)
	a.unask(r)
	if r.ev.Acks == 0 { // no response is due: it ends with its writes
		r.end = r.lastWrite()
	}
	if r.lostRecords = r.neverAppended(); r.lostRecords > 0 {
		a.stats.Lost++
		a.stats.LostRecords += uint64(r.lostRecords)
	}
	r.waits = r.gather(&a.stats.Ambiguous)
	for _, w := range r.waits {
		w.resolve(a)
		w.owner, w.number = r.ids(), r.number
	}
	r.fsyncs = r.gatherFsyncs(&a.stats.Ambiguous)
	for _, f := range r.fsyncs {
		f.resolve(a)
		f.owner, f.gap = r.ids(), nil
	}
	if r.taken = r.dequeued(); r.taken.join == joinExact {
		a.stats.QueuesExact++
	}
	for i := range r.parts {
		if w := r.parts[i].write; w != nil {
			w.resolve(a)
			w.before, w.after = nil, nil
		}
		r.parts[i].first.resolve()
		if r.ev.Partitions[i].Topic == "" {
			r.b.giveUpName(&r.parts[i])
		}
		r.parts[i].log = nil
	}
	r.blocked = r.tellBlocked()
	if a.o.causes() {
		r.before.resolve()
		pauses := r.b.pausesIn(r.ev.Arrival, r.lastMoment())
		r.verdict = r.judge(pauses)
		r.pauses = longestPauses(pauses)
		r.unwatched = r.b.unwatchedIn(r.ev.Arrival, r.lastMoment())
	}
	r.before.request = nil
	r.finished = true
	if r.bare {
		a.stats.Appends++
		if r.ev.HeadersCut {
			a.stats.AppendsCut++
		}
	} else {
		a.stats.Finished++
		a.measureRequest(r)
		a.printRequest(r)
	}
	r.trim()
	a.offer(r)
}
