package vm

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tailspan/tailspan/deploy/lab/vm/plan"
)

// Disk is a fresh file system that a guest mounts.
type Disk struct {
	Name    string // letters and digits; mounted on /mnt/Name
	Type    string // ext4 or xfs
	Feature string // of ext4, beyond its usual ones: fast_commit
	Data    string // options of the mount: data=writeback

	// Writes is how many of them the disk takes in a second; 0: as many as it
	// can. A commit of the journal then takes long enough to be waited for.
	Writes int
}

// Dir is where the disk is mounted.
func (d Disk) Dir() string { return "/mnt/" + d.Name }

const diskBytes = 320 << 20 // sparse; mkfs.xfs wants 300 MB

// make writes an image that Linux 5.10 can mount.
func (d Disk) make(ctx context.Context, tools *Tools, dir string) (image string, err error) {
	image = filepath.Join(dir, d.Name+".img")
	f, err := os.Create(image)
	if err != nil {
		return "", err
	}
	if err := f.Truncate(diskBytes); err != nil {
		return "", err
	}
	if err := f.Close(); err != nil {
		return "", err
	}
	switch d.Type {
	case "ext4":
		features := strings.TrimSuffix("has_journal,^orphan_file,^metadata_csum_seed,"+d.Feature, ",")
		err = tools.run(ctx, "mkfs.ext4", "-q", "-F", "-O", features, "-E", "lazy_itable_init=0,lazy_journal_init=0", image)
	case "xfs":
		err = tools.run(ctx, "mkfs.xfs", "-q", "-f", "-c", "options="+filepath.Join(tools.root, "usr/share/xfsprogs/mkfs/lts_5.10.conf"), image)
	default:
		err = fmt.Errorf("disk %s: no way to make a %q", d.Name, d.Type)
	}
	return image, err
}

// arguments of QEMU.
func (d Disk) arguments(image string) []string {
	drive := "if=none,format=raw,cache=unsafe,id=" + d.Name + ",file=" + strings.ReplaceAll(image, ",", ",,")
	if d.Writes > 0 {
		drive += fmt.Sprintf(",throttling.iops-write=%d", d.Writes)
	}
	return []string{"-drive", drive, "-device", "nvme,serial=" + d.Name + ",drive=" + d.Name}
}

func (d Disk) mount() plan.Mount {
	return plan.Mount{Serial: d.Name, Dir: d.Dir(), Type: d.Type, Data: d.Data}
}
