package page

import (
	"github.com/tailspan/tailspan/sidecar/report"
	"github.com/tailspan/tailspan/spans"
)

// causeWords say what a cause means.
var causeWords = Words{
	string(spans.CauseNone):        "nothing is known of it",
	string(spans.CauseReceive):     "the request's own bytes came slowly",
	string(spans.CauseSocket):      "it stood behind the request before it on its connection",
	string(spans.CauseThrottle):    "its client was throttled for a quota",
	string(spans.CauseQueue):       "no handler thread had time for it",
	string(spans.CauseWrite):       "the write to the segment took long",
	string(spans.CauseDirtyInode):  "the file system was slow to mark the inode",
	string(spans.CauseCommit):      "a commit of the file system's journal held up a write",
	string(spans.CauseFsync):       "an fsync took long",
	string(spans.CauseFastCommit):  "a fast commit of ext4's journal held up a write",
	string(spans.CauseLog):         "XFS's log had no room, or was being forced to the disk",
	string(spans.CauseMonitor):     "a Java monitor was held by another thread",
	string(spans.CausePark):        "a lock of java.util.concurrent was held by another thread",
	string(spans.CauseGC):          "a garbage collection stopped all threads",
	string(spans.CauseVMOperation): "another operation of the JVM stopped all threads",
	string(spans.CauseReplication): "followers were slow to fetch it",
	string(spans.CauseSend):        "the response was slow to leave",
	string(spans.CauseUnexplained): "nothing that was seen took most of it",
}

// linkWords say where a kind of link leads.
var linkWords = func() Words {
	w := Words{}
	for _, kind := range []string{spans.LinkHolder, spans.LinkHolderWrite, spans.LinkHolderWait, spans.LinkHolderFsync,
		spans.LinkCommit, spans.LinkLogForce, spans.LinkOrigin, spans.LinkDuplicate, spans.LinkPipelined, spans.LinkProducer} {
		w[kind] = report.LinkMeaning(kind)
	}
	return w
}()
