package store

import (
	"context"
	"time"
)

// patience is for how long something is tried again that fails for a passing
// cause: a server that is started anew, or another that takes over. What lasts
// longer is the caller's, who tries again, too.
const patience = 5 * time.Second

// retry calls fn until it fails for a cause that is not passing, or ctx ends, or
// patience since the first failure does. It returns fn's last error.
func retry(ctx context.Context, passing func(error) bool, fn func() error) error {
	var end time.Time
	pause := 20 * time.Millisecond
	for {
		err := fn()
		if err == nil || !passing(err) {
			return err
		}
		if end.IsZero() {
			end = time.Now().Add(patience)
		}
		if time.Now().Add(pause).After(end) {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-timer.C:
		}
		pause = min(2*pause, 500*time.Millisecond)
	}
}
