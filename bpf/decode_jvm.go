package bpf

func (t *ThreadStart) decode(raw []byte) {
	_ = raw[threadStartSize-1]
	t.JavaThread = int64(le.Uint64(raw[24:]))
	t.Name = raw[threadStartSize:len(raw):len(raw)]
}

func (p *Park) decode(raw []byte, flags byte) {
	_ = raw[parkSize-1]
	p.Start, p.Woken = int64(le.Uint64(raw[24:])), int64(le.Uint64(raw[32:]))
	p.Waker, p.Futex = int32(le.Uint32(raw[40:])), le.Uint32(raw[44:])
	p.Timed, p.Kernel = flags&parkTimed != 0, flags&parkKernel != 0
	p.Comm = text(raw[48 : 48+commLen])
}

func (v *VM) decode(raw []byte, flags byte) {
	_ = raw[vmSize-1]
	v.Start = int64(le.Uint64(raw[24:]))
	v.Concurrent, v.Full = flags&vmConcurrent != 0, flags&vmFull != 0
	v.Name = raw[vmSize:len(raw):len(raw)]
}
