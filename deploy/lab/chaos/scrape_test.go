package chaos

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/tailspan"
)

// scraper asks for the account of a running tailspan all the time, and for what
// it holds of memory.
type scraper struct {
	url  string
	pid  int
	stop context.CancelFunc
	done sync.WaitGroup

	mu       sync.Mutex // of what follows
	scrapes  int
	most     tailspan.Account // the greatest of each, but Dropped, which is the last
	resident int64            // bytes, at most
	wrong    error            // the first account that does not balance
}

const scrapeEach = 100 * time.Millisecond

func scrape(ctx context.Context, address string, pid int) *scraper {
	ctx, stop := context.WithCancel(ctx)
	s := &scraper{url: "http://" + address + "/metrics", pid: pid, stop: stop}
	s.done.Go(func() {
		for ctx.Err() == nil {
			s.once(ctx)
			time.Sleep(scrapeEach)
		}
	})
	return s
}

// end waits until nothing is asked any more.
func (s *scraper) end() {
	s.stop()
	s.done.Wait()
}

// exported are the requests that the collector has acknowledged by now.
func (s *scraper) exported() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.most.Exported
}

// once: a tailspan that has ended or does not serve yet answers nothing.
func (s *scraper) once(ctx context.Context) {
	account, err := s.ask(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resident = max(s.resident, resident(s.pid))
	if err != nil {
		return
	}
	s.scrapes++
	if err := account.Balanced(); err != nil && s.wrong == nil {
		s.wrong = err
	}
	s.most.Seen, s.most.Exported = max(s.most.Seen, account.Seen), max(s.most.Exported, account.Exported)
	s.most.SampledOut, s.most.Pending = max(s.most.SampledOut, account.SampledOut), max(s.most.Pending, account.Pending)
	s.most.Dropped = account.Dropped
}

func (s *scraper) ask(ctx context.Context) (account tailspan.Account, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return account, err
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return account, err
	}
	defer a.Body.Close()
	return parse(a)
}

// parse reads the account of a scrape.
func parse(a *http.Response) (account tailspan.Account, err error) {
	account.Dropped = map[string]uint64{}
	fields := map[string]*uint64{"tailspan_requests_seen_total": &account.Seen, "tailspan_requests_exported_total": &account.Exported,
		"tailspan_requests_sampled_out_total": &account.SampledOut, "tailspan_requests_pending": &account.Pending}
	in := bufio.NewScanner(a.Body)
	for in.Scan() {
		name, value, _ := strings.Cut(in.Text(), " ")
		f, _ := strconv.ParseFloat(value, 64) // only what counts is a number
		if labels, ok := strings.CutPrefix(name, "tailspan_requests_dropped_total{"); ok {
			account.Dropped[labels] = uint64(f)
		}
		if at := fields[name]; at != nil {
			*at = uint64(f)
			delete(fields, name)
		}
	}
	if len(fields) > 0 {
		return account, fmt.Errorf("not all of the account was there: %w", in.Err())
	}
	return account, in.Err()
}

// resident is VmRSS of proc_pid_status(5), in bytes.
func resident(pid int) int64 {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)) // it may have ended
	for line := range strings.Lines(string(b)) {
		if text, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(text), " kB"), 10, 64)
			return kb << 10
		}
	}
	return 0
}
