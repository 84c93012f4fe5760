package flood

import (
	"context"
	"sync/atomic"
	"time"
)

// pace has a flood's time pass as the clock's does.
type pace struct {
	start  time.Time
	behind atomic.Int64 // ns, the most that it was late
}

// wait returns when an instant of the flood has come.
func (p *pace) wait(ctx context.Context, at time.Duration) error {
	if p.start.IsZero() {
		p.start = time.Now()
	}
	early := at - time.Since(p.start)
	if early <= 0 {
		p.behind.Store(max(p.behind.Load(), int64(-early)))
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(early):
		return nil
	}
}
