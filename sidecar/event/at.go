package event

func (e *Request) At() Time         { return e.LastByte }
func (e *Response) At() Time        { return e.End }
func (e *ConnLost) At() Time        { return e.Time }
func (e *Fetch) At() Time           { return e.LastByte }
func (e *Fetched) At() Time         { return e.Time }
func (e *TopicName) At() Time       { return e.Time }
func (e *Write) At() Time           { return e.End }
func (e *AppendHeaders) At() Time   { return e.Time }
func (e *DirtyInode) At() Time      { return e.End }
func (e *CommitStart) At() Time     { return e.Time }
func (e *Commit) At() Time          { return e.End }
func (e *MonitorEnter) At() Time    { return e.Time }
func (e *MonitorEntered) At() Time  { return e.Time }
func (e *MonitorExit) At() Time     { return e.Time }
func (e *Wake) At() Time            { return e.Time }
func (e *Gone) At() Time            { return e.Time }
func (e *OffCPU) At() Time          { return e.End }
func (e *Sample) At() Time          { return e.Time }
func (e *Fsync) At() Time           { return e.End }
func (e *JournalWait) At() Time     { return e.End }
func (e *FastCommit) At() Time      { return e.End }
func (e *LogForce) At() Time        { return e.End }
func (e *BlockIO) At() Time         { return e.End }
func (e *Park) At() Time            { return e.End }
func (e *Pause) At() Time           { return e.End }
func (e *MonitorsWatched) At() Time { return e.Time }

func (*Request) event()         {}
func (*Response) event()        {}
func (*ConnLost) event()        {}
func (*Fetch) event()           {}
func (*Fetched) event()         {}
func (*TopicName) event()       {}
func (*Write) event()           {}
func (*AppendHeaders) event()   {}
func (*DirtyInode) event()      {}
func (*CommitStart) event()     {}
func (*Commit) event()          {}
func (*MonitorEnter) event()    {}
func (*MonitorEntered) event()  {}
func (*MonitorExit) event()     {}
func (*Wake) event()            {}
func (*Gone) event()            {}
func (*OffCPU) event()          {}
func (*Sample) event()          {}
func (*Fsync) event()           {}
func (*JournalWait) event()     {}
func (*FastCommit) event()      {}
func (*LogForce) event()        {}
func (*BlockIO) event()         {}
func (*Park) event()            {}
func (*Pause) event()           {}
func (*MonitorsWatched) event() {}
