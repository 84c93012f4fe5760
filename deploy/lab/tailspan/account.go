package tailspan

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Account is what a tailspan says has become of all requests that it saw.
type Account struct {
	Seen, Exported, SampledOut, Pending uint64
	Dropped                             map[string]uint64 // by "stage: reason"
}

// Errors of an account.
var (
	ErrNoAccount  = errors.New("the log has no account of the requests")
	ErrUnbalanced = errors.New("requests seen are not those exported, sampled out, pending and dropped")
	ErrPending    = errors.New("requests are pending after the end")
)

// Balanced says whether every request that was seen is somewhere.
func (a *Account) Balanced() error {
	sum := a.Exported + a.SampledOut + a.Pending
	for n := range maps.Values(a.Dropped) {
		sum += n
	}
	if a.Seen != sum {
		return fmt.Errorf("%w: %d is not %d: %+v", ErrUnbalanced, a.Seen, sum, *a)
	}
	return nil
}

var (
	// accountLine is `msg=requests` in the log, as text or as JSON.
	accountLine = regexp.MustCompile(`(?m)^.*(?: msg=requests |"msg":"requests").*$`)
	accountPart = regexp.MustCompile(`[" ](seen|exported|sampled_out|pending)"?[=:](\d+)`)
	// droppedText is a map as fmt prints it, droppedJSON as encoding/json does.
	droppedText = regexp.MustCompile(` dropped="?map\[([^\]]*)\]`)
	droppedJSON = regexp.MustCompile(`"dropped":\{([^}]*)\}`)
	droppedPart = regexp.MustCompile(`"?([^":]+: [^":]+)"?:(\d+)[ ,]?`)
)

// Accounts are all that a log holds, in order.
func Accounts(log string) (all []Account, err error) {
	for _, line := range accountLine.FindAllString(log, -1) {
		a, err := parseAccount(line)
		if err != nil {
			return nil, fmt.Errorf("parse account: %w in %q", err, line)
		}
		all = append(all, a)
	}
	return all, nil
}

func parseAccount(line string) (a Account, err error) {
	fields := map[string]*uint64{"seen": &a.Seen, "exported": &a.Exported, "sampled_out": &a.SampledOut, "pending": &a.Pending}
	for _, m := range accountPart.FindAllStringSubmatch(line, -1) {
		at := fields[m[1]]
		if at == nil {
			return a, fmt.Errorf("%s is there twice", m[1])
		}
		if *at, err = strconv.ParseUint(m[2], 10, 64); err != nil {
			return a, err
		}
		delete(fields, m[1])
	}
	if len(fields) > 0 {
		return a, fmt.Errorf("no %s", strings.Join(slices.Sorted(maps.Keys(fields)), ", "))
	}
	dropped := droppedText.FindStringSubmatch(line)
	if dropped == nil {
		dropped = droppedJSON.FindStringSubmatch(line)
	}
	if dropped == nil {
		return a, errors.New("no dropped")
	}
	a.Dropped, err = parseDropped(dropped[1])
	return a, err
}

// parseDropped leaves nothing over: what it did not know would be missing in the
// sum.
func parseDropped(text string) (map[string]uint64, error) {
	all := map[string]uint64{}
	for _, m := range droppedPart.FindAllStringSubmatch(text, -1) {
		n, err := strconv.ParseUint(m[2], 10, 64)
		if err != nil {
			return nil, err
		}
		all[strings.TrimSpace(m[1])] = n
	}
	if rest := droppedPart.ReplaceAllString(text, ""); rest != "" {
		return nil, fmt.Errorf("%q is not understood", rest)
	}
	return all, nil
}
