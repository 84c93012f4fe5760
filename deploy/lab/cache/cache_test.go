package cache

import (
	"os"
	"testing"
)

func TestDeadRunIsSwept(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dead, err := NewRun()
	if err != nil {
		t.Fatal(err)
	}
	alive, err := NewRun()
	if err != nil {
		t.Fatal(err)
	}
	dead.lock.Close() // as the kernel does when a process is killed
	if n, err := Sweep(); n != 1 || err != nil {
		t.Fatalf("swept %d, %v; want the dead one", n, err)
	}
	if _, err := os.Stat(dead.Dir); !os.IsNotExist(err) {
		t.Errorf("the dead run's directory is still there: %v", err)
	}
	if _, err := os.Stat(alive.Dir); err != nil {
		t.Errorf("the living run's directory is gone: %v", err)
	}
	if err := alive.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(alive.Dir); !os.IsNotExist(err) {
		t.Errorf("Close left the directory: %v", err)
	}
}
