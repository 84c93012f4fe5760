package bpf

func (o *OffCPU) decode(raw []byte, flags byte) {
	_ = raw[offCPUSize-1]
	o.Start = int64(le.Uint64(raw[24:]))
	o.Woken = int64(le.Uint64(raw[32:]))
	o.Preempted, o.IO = flags&offCPUPreempted != 0, flags&offCPUIO != 0
	o.Comm = text(raw[40 : 40+commLen])
	o.Stack = raw[offCPUSize:len(raw):len(raw)]
}

func (s *Sample) decode(raw []byte) {
	_ = raw[sampleSize-1]
	s.Comm = text(raw[24 : 24+commLen])
	s.Stack = raw[sampleSize:len(raw):len(raw)]
}

func (f *Fsync) decode(raw []byte, flags byte) {
	_ = raw[fsyncSize-1]
	f.Start = int64(le.Uint64(raw[24:]))
	f.Device = le.Uint32(raw[12:])
	f.Inode = le.Uint64(raw[32:])
	f.Result = int64(le.Uint64(raw[40:]))
	f.Data = flags&fsyncData != 0
	f.Comm = text(raw[48 : 48+commLen])
	f.Name = text(raw[64 : 64+fileLen])
	f.Dir = raw[fsyncSize:len(raw):len(raw)]
}

func (w *JournalWait) decode(raw []byte) bool {
	_ = raw[journalWaitSize-1]
	w.Start = int64(le.Uint64(raw[24:]))
	w.Device = le.Uint32(raw[12:])
	w.Transaction = le.Uint32(raw[32:])
	w.Kind = JournalWaitKind(le.Uint32(raw[36:]))
	w.Comm = text(raw[40 : 40+commLen])
	return w.Kind != 0 && w.Kind < waitCount
}

func (o *CommitOrigin) decode(raw []byte) bool {
	_ = raw[originSize-1]
	o.Device = le.Uint32(raw[12:])
	o.Transaction = le.Uint32(raw[24:])
	o.Origin = Origin(le.Uint32(raw[28:]))
	o.TGID, o.TID = int32(le.Uint32(raw[32:])), int32(le.Uint32(raw[36:]))
	o.Comm = text(raw[40 : 40+commLen])
	o.Free, o.Size = le.Uint32(raw[56:]), le.Uint32(raw[60:])
	return o.Origin < originCount
}

func (s *CommitStats) decode(raw []byte) {
	_ = raw[statsSize-1]
	s.Device = le.Uint32(raw[12:])
	s.Transaction = le.Uint32(raw[24:])
	s.Handles, s.Blocks, s.Logged = le.Uint32(raw[28:]), le.Uint32(raw[32:]), le.Uint32(raw[36:])
	s.Jiffies = le.Uint64(raw[40:])
	s.Wait, s.RequestDelay, s.Running = le.Uint32(raw[48:]), le.Uint32(raw[52:]), le.Uint32(raw[56:])
	s.Locked, s.Flushing, s.Logging = le.Uint32(raw[60:]), le.Uint32(raw[64:]), le.Uint32(raw[68:])
}

func (f *FastCommit) decode(raw []byte) {
	_ = raw[fastCommitSize-1]
	f.Start = int64(le.Uint64(raw[24:]))
	f.Device = le.Uint32(raw[12:])
	f.Transaction, f.Blocks = le.Uint32(raw[32:]), le.Uint32(raw[36:])
	f.Status = int32(le.Uint32(raw[40:]))
	f.Comm = text(raw[48 : 48+commLen])
}

func (f *LogForce) decode(raw []byte) {
	_ = raw[logForceSize-1]
	f.Start = int64(le.Uint64(raw[24:]))
	f.Device = le.Uint32(raw[12:])
	f.Flags = le.Uint32(raw[32:])
	f.Comm = text(raw[40 : 40+commLen])
}

func (b *BlockIO) decode(raw []byte) {
	_ = raw[blockIOSize-1]
	b.Start = int64(le.Uint64(raw[24:]))
	b.Device = le.Uint32(raw[12:])
	b.Sector = le.Uint64(raw[32:])
	b.Bytes, b.Op = le.Uint32(raw[40:]), le.Uint32(raw[44:])
	b.Error = int32(le.Uint32(raw[48:]))
	b.Comm = text(raw[56 : 56+commLen])
}
