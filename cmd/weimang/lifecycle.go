package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// lastGrace is what a stop still gets when the time limit is used up: enough
// to close a file, so that one that hangs does not take the others with it.
const lastGrace = time.Second

// lifecycle holds what a process has started. Each thing that starts registers
// its stop at once; stops run last-in first-out, so that nothing loses what it
// stands on.
type lifecycle struct {
	log  *slog.Logger
	ctx  context.Context
	fail context.CancelCauseFunc

	mu    sync.Mutex
	stops []namedStop
}

type namedStop struct {
	name string
	stop func(context.Context) error
}

// newLifecycle begins a life that ctx (a signal) or the first component that
// fails ends.
func newLifecycle(ctx context.Context, log *slog.Logger) *lifecycle {
	l := &lifecycle{log: log}
	l.ctx, l.fail = context.WithCancelCause(ctx)
	return l
}

// context ends when it is time to stop. Components must not run on it: they
// end one after the other, when their stop's turn comes.
func (l *lifecycle) context() context.Context { return l.ctx }

// add registers the stop of something that has started. Its context ends when
// the time limit is used up.
func (l *lifecycle) add(name string, stop func(context.Context) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stops = append(l.stops, namedStop{name, stop})
}

// goRun runs a component until its stop's turn comes, which ends the context
// it was given. An error before that ends the whole life; a component that
// returns nil has done its work.
func (l *lifecycle) goRun(name string, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(l.ctx))
	result := make(chan error, 1)
	go func() {
		err := run(ctx)
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			err = nil // asked to stop, and did
		}
		if err != nil && ctx.Err() == nil {
			l.fail(&componentError{name, err})
			err = nil // the life's error, not the stop's
		}
		result <- err
	}()
	l.add(name, func(stopCtx context.Context) error {
		cancel()
		select {
		case err := <-result:
			return err
		case <-stopCtx.Done():
			return context.Cause(stopCtx)
		}
	})
}

// wait returns when it is time to stop: nil if ctx ended, or the error of the
// component that failed.
func (l *lifecycle) wait() error {
	<-l.ctx.Done()
	var failed *componentError
	if errors.As(context.Cause(l.ctx), &failed) {
		return failed
	}
	return nil // what ended ctx, such as a signal, is no failure
}

// reason is why work on the life's context ended with err. When a component
// has failed that is the reason, and err no more than its echo: the context
// that ended, or nothing at all where the work was to wait for the end.
func (l *lifecycle) reason(err error) error {
	var failed *componentError
	if (err == nil || errors.Is(err, context.Canceled)) && errors.As(context.Cause(l.ctx), &failed) {
		return failed
	}
	return err
}

// componentError is why a life ended early.
type componentError struct {
	name string
	err  error
}

func (e *componentError) Error() string { return e.name + ": " + e.err.Error() }
func (e *componentError) Unwrap() error { return e.err }

// stop stops everything, last-in first-out, within the limit. The error names
// each stop that failed or took too long.
func (l *lifecycle) stop(limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(l.ctx), limit)
	defer cancel()
	var errs []error
	for {
		s, ok := l.pop()
		if !ok {
			l.fail(nil)
			return errors.Join(errs...)
		}
		began := time.Now()
		if err := s.run(ctx, limit); err != nil {
			errs = append(errs, err)
		} else {
			l.log.Debug("stopped", "component", s.name, "took", time.Since(began))
		}
	}
}

func (l *lifecycle) pop() (namedStop, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.stops)
	if n == 0 {
		return namedStop{}, false
	}
	s := l.stops[n-1]
	l.stops = l.stops[:n-1]
	return s, true
}

// run calls the stop, and leaves it behind when it does not return in time.
func (s namedStop) run(ctx context.Context, limit time.Duration) error {
	result := make(chan error, 1)
	go func() { result <- s.stop(ctx) }()
	var err error
	select {
	case err = <-result:
	case <-ctx.Done():
		grace := time.NewTimer(lastGrace)
		defer grace.Stop()
		select {
		case err = <-result:
		case <-grace.C:
			return fmt.Errorf("stop %s: not done within %s", s.name, limit)
		}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil:
		return fmt.Errorf("stop %s: not done within %s", s.name, limit)
	case err != nil:
		return fmt.Errorf("stop %s: %w", s.name, err)
	}
	return nil
}
