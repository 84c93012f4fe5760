package experiment

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tailspan/tailspan/deploy/lab/child"
	"github.com/tailspan/tailspan/deploy/lab/slowdisk"
)

// Journal counts what ext4's did; of XFS's log there is no such count by device.
type Journal struct{ Commits, FastCommits int }

func (j Journal) minus(o Journal) Journal {
	return Journal{j.Commits - o.Commits, j.FastCommits - o.FastCommits}
}

// journal reads the counts of a device's (fs/jbd2/journal.c, jbd2_seq_info_show;
// fs/ext4/fast_commit.c, ext4_fc_info_show).
func journal(d *slowdisk.Disk, f slowdisk.Format) (j Journal, err error) {
	if f.Type == "xfs" {
		return j, nil
	}
	name := filepath.Base(d.Device)
	infos, _ := filepath.Glob("/proc/fs/jbd2/" + name + "-*/info")
	if len(infos) != 1 {
		return j, fmt.Errorf("journals of %s: %q, want one", d.Device, infos)
	}
	info, err := os.ReadFile(infos[0])
	if err != nil {
		return j, err
	}
	if _, err := fmt.Sscan(string(info), &j.Commits); err != nil {
		return j, fmt.Errorf("%s: %w", infos[0], err)
	}
	if f.Feature != "fast_commit" {
		return j, nil
	}
	file := "/proc/fs/ext4/" + name + "/fc_info"
	if info, err = os.ReadFile(file); err != nil {
		return j, err
	}
	if _, err := fmt.Sscanf(string(info), "fc stats:\n%d commits", &j.FastCommits); err != nil {
		return j, fmt.Errorf("%s: %w", file, err)
	}
	return j, nil
}

// inEffect wants a mounted disk to be what was asked for, by the kernel's word.
func inEffect(ctx context.Context, d *slowdisk.Disk, f slowdisk.Format) error {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return err
	}
	kind := f.Type
	if kind == "" {
		kind = "ext4"
	}
	if !strings.Contains(string(mounts), fmt.Sprintf("%s %s %s ", d.Device, d.Mount, kind)) {
		return fmt.Errorf("%s is no %s on %s", d.Mount, kind, d.Device)
	}
	if kind != "ext4" {
		return nil
	}
	options, err := os.ReadFile("/proc/fs/ext4/" + filepath.Base(d.Device) + "/options")
	if err != nil {
		return err
	}
	is := strings.Fields(string(options))
	for _, want := range wanted(f) {
		if !slices.Contains(is, want) {
			return fmt.Errorf("%s is mounted without %s: %s", d.Device, want, strings.Join(is, ","))
		}
	}
	head, err := child.Guard(exec.CommandContext(ctx, "dumpe2fs", "-h", d.Device)).Output()
	if err != nil {
		return fmt.Errorf("dumpe2fs: %w", err)
	}
	if fast := strings.Contains(string(head), "fast_commit"); fast != (f.Feature == "fast_commit") {
		return fmt.Errorf("%s has fast commits: %v", d.Device, fast)
	}
	return nil
}

// wanted are the options of an ext4, with the defaults that are not asked for.
func wanted(f slowdisk.Format) []string {
	all := []string{"data=ordered", "commit=5"}
	for i, o := range all {
		key, _, _ := strings.Cut(o, "=")
		for asked := range strings.SplitSeq(f.Data, ",") {
			if strings.HasPrefix(asked, key+"=") {
				all[i] = asked
			}
		}
	}
	return all
}
