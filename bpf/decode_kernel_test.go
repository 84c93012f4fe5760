package bpf

// encodeKernel is the rest of encode.
func encodeKernel(r *Record, raw []byte) []byte {
	u32 := func(all ...uint32) {
		for _, v := range all {
			raw = le.AppendUint32(raw, v)
		}
	}
	u64 := func(v uint64) { raw = le.AppendUint64(raw, v) }
	fixed := func(b []byte, n int) { raw = append(append(raw, b...), make([]byte, n-len(b))...) }
	dev := func(d uint32) { le.PutUint32(raw[12:], d) }
	flag := func(on bool, bit byte) {
		if on {
			raw[2] |= bit
		}
	}
	stack := func(s Stack) {
		raw[3] = byte(s.Len())
		raw = append(raw, s...)
	}
	switch r.Kind {
	case KindOffCPU:
		o := &r.OffCPU
		u64(uint64(o.Start))
		u64(uint64(o.Woken))
		fixed(o.Comm, commLen)
		flag(o.Preempted, offCPUPreempted)
		flag(o.IO, offCPUIO)
		stack(o.Stack)
	case KindSample:
		fixed(r.Sample.Comm, commLen)
		stack(r.Sample.Stack)
	case KindFsync:
		f := &r.Fsync
		dev(f.Device)
		u64(uint64(f.Start))
		u64(f.Inode)
		u64(uint64(f.Result))
		fixed(f.Comm, commLen)
		fixed(f.Name, fileLen)
		flag(f.Data, fsyncData)
		raw[3] = byte(len(f.Dir))
		raw = append(raw, f.Dir...)
	case KindJournalWait:
		w := &r.JournalWait
		dev(w.Device)
		u64(uint64(w.Start))
		u32(w.Transaction, uint32(w.Kind))
		fixed(w.Comm, commLen)
	case KindCommitOrigin:
		o := &r.CommitOrigin
		dev(o.Device)
		u32(o.Transaction, uint32(o.Origin), uint32(o.TGID), uint32(o.TID))
		fixed(o.Comm, commLen)
		u32(o.Free, o.Size)
	case KindCommitStats:
		s := &r.CommitStats
		dev(s.Device)
		u32(s.Transaction, s.Handles, s.Blocks, s.Logged)
		u64(s.Jiffies)
		u32(s.Wait, s.RequestDelay, s.Running, s.Locked, s.Flushing, s.Logging)
	case KindFastCommit:
		f := &r.FastCommit
		dev(f.Device)
		u64(uint64(f.Start))
		u32(f.Transaction, f.Blocks, uint32(f.Status), 0)
		fixed(f.Comm, commLen)
	case KindLogForce:
		f := &r.LogForce
		dev(f.Device)
		u64(uint64(f.Start))
		u32(f.Flags, 0)
		fixed(f.Comm, commLen)
	case KindBlockIO:
		b := &r.BlockIO
		dev(b.Device)
		u64(uint64(b.Start))
		u64(b.Sector)
		u32(b.Bytes, b.Op, uint32(b.Error), 0)
		fixed(b.Comm, commLen)
	}
	return raw
}
