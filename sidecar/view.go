package sidecar

import (
	"context"
	"slices"
	"time"

	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/sidecar/report"
	"github.com/tailspan/tailspan/sidecar/report/screen"
	"github.com/tailspan/tailspan/sidecar/report/view"
)

// redraw is how often the live view looks for a stall; a stall of twice that is
// not missed.
const redraw = 250 * time.Millisecond

// liveView is the live view of a run on a terminal. nil: there is none.
type liveView struct {
	screen *screen.Screen
	stalls view.Stalls // s.assembling is held for it

	// Those of showView's goroutine.
	objective func(topic string) time.Duration
	state     view.State
}

func newLiveView(o Options) *liveView {
	if o.View == nil {
		return nil
	}
	return &liveView{screen: o.View, objective: o.Config.Objective(), state: view.State{Measured: &view.History{}}}
}

// slow takes a slow request, on the assembler's goroutine.
func (v *liveView) slow(trace assemble.Candidate) {
	if v != nil {
		v.stalls.Add(trace)
	}
}

// leaveTime is how long the last picture may take. A terminal that is stopped (^S)
// takes nothing, and must not keep what was recorded from being closed.
const leaveTime = 500 * time.Millisecond

// startView draws, where there is a view, on a goroutine until ctx ends; leave waits
// for the last picture.
func (l *live) startView(ctx context.Context) (leave func()) {
	if l.view == nil {
		return func() {}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer l.flags.close() // if it panics; see start
		l.showView(ctx)
	}()
	return func() {
		select {
		case <-done:
		case <-time.After(leaveTime):
			l.log.Warn("the terminal takes nothing; its last picture is not the last")
		}
	}
}

// showView draws until ctx ends; the last picture stays.
func (l *live) showView(ctx context.Context) {
	defer l.view.screen.Leave()
	s := &l.view.state
	s.Since, s.Version, s.SLO, s.TopicSLOs = time.Now(), l.version, l.config.SLO, len(l.config.TopicSLOs) > 0
	beat, measured := time.NewTicker(redraw), time.Time{}
	defer beat.Stop()
	for {
		s.Now = time.Now()
		if s.Now.Sub(measured) >= view.Beat-redraw/2 {
			measured = s.Now
			l.measureView(s)
		}
		l.lookUnderWay(s)
		l.drawView(s)
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
		}
	}
}

// measureView renews what is counted.
func (l *live) measureView(s *view.State) {
	l.countView(s)
	s.Brokers = s.Brokers[:0]
	for _, b := range l.traced() {
		s.Brokers = append(s.Brokers, view.Broker{Node: b.Node, PID: b.PID})
	}
	s.Down = s.Down[:0]
	for _, p := range l.ways() {
		if !p.Up && !slices.Contains(s.Down, p.Name) {
			s.Down = append(s.Down, p.Name)
		}
	}
	s.Lost = l.lost()
	s.Unsent = ""
	if e := l.out.exporter; e != nil {
		if h := e.Health(); !h.Up {
			s.Unsent = h.State + ": " + h.Detail
		}
	}
	if l.record != nil {
		bytes, lost := l.record.Stats()
		s.Recording = &view.Recording{File: l.config.Record, Bytes: bytes, Broken: lost > 0}
	}
}

// countView takes what is counted and who was slow at one moment.
func (l *live) countView(s *view.State) {
	l.assembling.Lock()
	defer l.assembling.Unlock()
	s.Measured.Add(s.Now, l.out.metrics.Totals)
	s.Stalls = l.view.stalls.Last(maxStalls)
}

// lookUnderWay renews what has not ended. It holds up the assembler.
func (l *live) lookUnderWay(s *view.State) {
	l.assembling.Lock()
	defer l.assembling.Unlock()
	s.UnderWay = l.assembler.UnderWay(l.assembled, l.view.objective)
}

const (
	maxStalls = 6 // that are shown
	small     = 30
	logRows   = 6 // of a terminal that is not small are left to the log
)

func (l *live) drawView(s *view.State) {
	scr := l.view.screen
	_, rows := scr.Size()
	room := rows - 1
	if rows >= small {
		room = rows - logRows
	}
	scr.Show(view.Draw(s, view.Options{WaterfallOptions: report.TerminalOptions(scr.File()), Rows: room}))
}
