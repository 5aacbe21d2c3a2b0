package alerts

import (
	"context"
	"time"
)

// Forgotten is a case that nothing would ever happen to.
type Forgotten struct {
	AlertID string
	Stage   Stage
	LookAt  time.Time // zero: there is no next step; otherwise it is long past
}

// overdue is by how much a step may be late before somebody is to know.
const overdue = 10 * time.Minute

// Audit proves that nobody is forgotten: every case of a household that was told
// to anybody, and is not closed, has a next step, and none is long overdue. It
// returns those of which that is not so.
func (s *Service) Audit(ctx context.Context) ([]Forgotten, error) {
	found, err := s.store.Forgotten(ctx, s.opts.Now().Add(-overdue))
	if err != nil {
		return nil, err
	}
	// Several processes may share the store: what each has counted itself drifts.
	open, err := s.store.OpenCount(ctx)
	if err != nil {
		return nil, err
	}
	s.metrics.open.Set(float64(open))
	s.metrics.forgotten.Set(float64(len(found)))
	s.metrics.audited.Set(float64(s.opts.Now().Unix()))
	return found, nil
}
