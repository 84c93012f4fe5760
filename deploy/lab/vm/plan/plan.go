// Package plan is what host and guest agree on: what /init has to do, and how
// it says on its serial line what came of it. Standard library only.
package plan

import "time"

// File is where the plan lies in the guest, as JSON.
const File = "/plan.json"

// Plan is done from top to bottom; then the guest powers off.
type Plan struct {
	Modules  []string // files, in the order of loading
	Mounts   []Mount
	Commands []Command
}

// Mount is a disk, named by its NVMe serial number, and where it goes.
type Mount struct {
	Serial, Dir, Type string
	Data              string // the file system's own options: data=writeback
}

// Command is one program with its arguments. Args[0] is its path.
type Command struct {
	Args  []string
	Env   []string
	Dir   string        // "": /
	Limit time.Duration // after which it is killed; 0: none
}

// The serial line carries what the commands print, standard output and error
// together. A line that begins with Mark is a frame: "begin N", "end N CODE"
// (command N ended with exit code CODE, or -1 after a signal), "fail TEXT"
// (the guest is not as it should be), or "off", the last one.
const Mark = "\x1e"

// AttachedLine begins the lines, of JSON, in which a guest says of each subject
// how it can be seen.
const AttachedLine = "attached "

// Attached is how one subject can be seen in a kernel.
type Attached struct {
	Subject string
	Backend string   // that is chosen when all may be; "": none
	Works   []string // all that can see it, the chosen one first
}
