package kafka

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// handOver gives the broker's user what is his, and nobody else's.
func (c Config) handOver(conf string) error {
	if c.UID == 0 {
		return nil
	}
	return errors.Join(os.Chown(c.Dir, c.UID, c.UID), os.Chown(conf, c.UID, c.UID),
		os.Chown(c.LogDir, c.UID, c.UID), os.Chmod(c.LogDir, 0o700))
}

// owned lets a command run as the broker's user.
func (c Config) owned(cmd *exec.Cmd) *exec.Cmd {
	if c.UID != 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(c.UID), Gid: uint32(c.UID)}
	}
	return cmd
}
