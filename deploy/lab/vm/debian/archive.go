package debian

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/tailspan/tailspan/deploy/lab/child"
)

// ErrNotHere says that the machine has no apt, no keyring of Debian's, or no
// mirror that has the suite.
var ErrNotHere = errors.New("no Debian packages to be had here")

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// Archive is one suite of Debian. Its packages are resolved as if nothing were
// installed.
type Archive struct {
	Suite string
	dir   string
}

// Open fetches the lists of a suite (bullseye-security, trixie, …) into dir,
// which the caller removes.
func Open(ctx context.Context, dir, suite string) (*Archive, error) {
	a := &Archive{suite, dir}
	for _, tool := range []string{"apt-get", "apt-cache", "dpkg-deb"} {
		if _, err := exec.LookPath(tool); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNotHere, err)
		}
	}
	if _, err := os.Stat(keyring); err != nil {
		return nil, fmt.Errorf("%w: %w (package debian-archive-keyring)", ErrNotHere, err)
	}
	uri, err := mirror(ctx, suite)
	if err != nil {
		return nil, err
	}
	for _, sub := range []string{"etc", "lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, err
		}
	}
	source := fmt.Sprintf("Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n", uri, suite, keyring)
	err = errors.Join(os.WriteFile(filepath.Join(dir, "etc", "lab.sources"), []byte(source), 0o644),
		os.WriteFile(filepath.Join(dir, "status"), nil, 0o644))
	if err != nil {
		return nil, err
	}
	// An unknown suite, or lists that are not signed as they should be, are
	// only warnings to apt if older lists are there: here are none.
	if _, err := a.run(ctx, "apt-get", "update", "-q", "--error-on=any"); err != nil {
		return nil, fmt.Errorf("%w: suite %s: %w", ErrNotHere, suite, err)
	}
	return a, nil
}

// mirror is where the machine itself gets Debian's packages from; those of
// security suites lie apart.
func mirror(ctx context.Context, suite string) (string, error) {
	out, err := output(exec.CommandContext(ctx, "apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)", "Created-By: Packages"))
	if err != nil {
		return "", err
	}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		release, uri, _ := strings.Cut(lines.Text(), " ")
		if strings.HasSuffix(release, "-security") == strings.HasSuffix(suite, "-security") {
			return uri, nil
		}
	}
	return "", fmt.Errorf("%w: no source of this machine's apt is like %s", ErrNotHere, suite)
}

// run runs one of apt's commands on the archive's own state.
func (a *Archive) run(ctx context.Context, command string, args ...string) ([]byte, error) {
	options := []string{
		"-o", "Dir::Etc::sourcelist=/dev/null",
		"-o", "Dir::Etc::sourceparts=" + filepath.Join(a.dir, "etc"),
		"-o", "Dir::Etc::preferencesparts=/dev/null",
		"-o", "Dir::State::lists=" + filepath.Join(a.dir, "lists"),
		"-o", "Dir::State::status=" + filepath.Join(a.dir, "status"),
		"-o", "Dir::Cache=" + filepath.Join(a.dir, "cache"),
		"-o", "Acquire::Languages=none",
		"-o", "APT::Sandbox::User=", // it could not enter dir
		"-o", "Debug::NoLocking=1", // nothing is installed
	}
	cmd := exec.CommandContext(ctx, command, append(options, args...)...)
	cmd.Dir = a.dir
	return output(cmd)
}

func output(cmd *exec.Cmd) ([]byte, error) {
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := child.Guard(cmd).Run(); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, bytes.TrimSpace(errs.Bytes()))
	}
	return out.Bytes(), nil
}
