package doctor

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// xfsGeometry is struct xfs_fsop_geom_v1 of fs/xfs/libxfs/xfs_fs.h, which every
// kernel fills.
type xfsGeometry struct {
	BlockSize, _, _, _, LogBlocks, _, _, _ uint32
	_, _, _                                uint64
	LogStart                               uint64 // 0: the log is on a device of its own
	_                                      [6]uint64
}

// fsGeometryV1 is XFS_IOC_FSGEOMETRY_V1, _IOR('X', 100, struct xfs_fsop_geom_v1).
const fsGeometryV1 = 2<<30 | uint(unsafe.Sizeof(xfsGeometry{}))<<16 | 'X'<<8 | 100

// xfsLog asks the file system for its log; nil if it does not say. It needs no
// rights but to open the directory.
func xfsLog(dir string) *Journal {
	f, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer f.Close()
	var g xfsGeometry
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), uintptr(fsGeometryV1), uintptr(unsafe.Pointer(&g))); errno != 0 {
		return nil
	}
	bytes, external := int64(g.BlockSize)*int64(g.LogBlocks), g.LogStart == 0
	return &Journal{Bytes: &bytes, External: &external}
}
