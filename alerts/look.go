package alerts

import (
	"context"
	"slices"
	"time"

	"weimang/alerts/escalate"
	"weimang/alerts/roster"
)

const (
	// looks is how many alerts are looked at in one transaction, so that a
	// finding never waits long behind them.
	looks = 32
	// idle is after how long it is looked at the latest: the clock may have
	// been set, or another process have written.
	idle = 30 * time.Second
)

// Run does what is due until ctx ends: chains go on, reminders are written, what
// was put off is told. Errors of the store are logged when they begin and when
// they end.
func (s *Service) Run(ctx context.Context) error {
	failing := false
	for {
		next, err := s.Look(ctx)
		wait := idle
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			if !failing {
				s.log.Error("what is due for alerts is held up", "err", err)
			}
			wait = time.Second
		case !next.IsZero():
			wait = min(wait, max(0, next.Sub(s.opts.Now())))
		}
		if failing && err == nil {
			s.log.Info("what is due for alerts goes on")
		}
		failing = err != nil
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-s.nudged:
		}
		timer.Stop()
	}
}

// Look does everything that is due now and says when something will be again;
// zero is that nothing will.
func (s *Service) Look(ctx context.Context) (next time.Time, err error) {
	for more := true; more; {
		if err := s.update(ctx, func(w *work) error {
			more, err = w.look()
			return err
		}); err != nil {
			return time.Time{}, err
		}
	}
	s.metrics.looked.Set(float64(s.opts.Now().Unix()))
	return s.store.NextLook(ctx)
}

// look does some of what is due and reports whether there is more.
func (w *work) look() (more bool, err error) {
	ids, err := w.tx.DueAlerts(w.now, looks)
	if err != nil {
		return false, err
	}
	for _, id := range ids {
		if err := w.lookAt(id); err != nil {
			return false, err
		}
	}
	people, err := w.tx.DuePeople(w.now, looks)
	if err != nil {
		return false, err
	}
	for _, id := range people {
		w.people[id] = true
	}
	return len(ids) == looks || len(people) == looks, w.compose()
}

func (w *work) lookAt(id string) error {
	a, err := w.tx.Alert(id)
	if err != nil || a == nil {
		return err
	}
	home, err := w.household(a.HouseholdID, a.AreaID)
	if err != nil {
		return err
	}
	a.LookAt = time.Time{}
	if err := w.again(a); err != nil {
		return err
	}
	switch {
	case home == nil: // an area's notice waits for nobody
	case a.Stage == Noted && a.Silenced != "":
		err = w.hear(a, home)
	case a.Stage == Calling:
		err = w.advance(a, home, "")
	case a.Stage == Held:
		err = w.holds(a, home)
	case a.Stage == InHand:
		if err = w.did(a, EventFollowUp, "", ""); err == nil {
			a.FollowUpAt = time.Time{}
			err = w.call(a, home, escalate.FollowUp, escalate.Opened)
		}
	case a.Stage == Asking:
		err = w.close(a, home, Unanswered, "")
	}
	if err != nil {
		return err
	}
	return w.tx.PutAlert(a)
}

// again has those told over another channel whom one did not reach; who has
// none left is unreachable. A contact that reaches nobody is used no more.
func (w *work) again(a *Alert) error {
	failed, err := w.tx.Undelivered(a.ID)
	if err != nil {
		return err
	}
	for i := range failed {
		t, channel := &failed[i].Telling, failed[i].Channel
		if failed[i].WrongAddress {
			if err := w.tx.MarkContact(t.To.PersonID, channel, roster.Wrong, w.now); err != nil {
				return err
			}
		}
		p, err := w.person(t.To.PersonID)
		if err != nil {
			return err
		}
		// A second number of hers is as good as another channel.
		if !failed[i].WrongAddress || p == nil || !slices.ContainsFunc(p.Usable(nil), func(c roster.Contact) bool { return c.Channel == channel }) {
			t.Tried = append(t.Tried, channel)
		}
		t.Status, t.MessageID = TellingDue, ""
		if w.contact(p, t) == nil {
			t.Status = TellingUnreachable
		}
		t.DueAt = w.now
		if err := w.tx.PutTelling(t); err != nil {
			return err
		}
		w.people[t.To.PersonID] = true
	}
	return nil
}

// holds reminds who sees to an alert when her time is up, and goes on with the
// chain when nothing is heard of her then.
func (w *work) holds(a *Alert, home *roster.Household) error {
	switch left := a.HeldAt.Add(a.Chain.Held); {
	case a.Reminded == 0 && w.now.Before(left):
		a.LookAt = left
		return nil
	case a.Reminded == 0:
		a.Reminded = 1
		due := a.Chain.Due(w.local(home))
		a.LookAt = due.Add(a.Chain.Reminded)
		if err := w.did(a, EventReminded, "", string(a.Holder.Role)); err != nil {
			return err
		}
		return w.tellHolder(a, home, ToRemind)
	default:
		a.Stage, a.Holder, a.Reminded = Calling, Recipient{}, 0
		return w.goOn(a, home, escalate.NotHeard)
	}
}

// goOn leaves the present link whatever time is left on it.
func (w *work) goOn(a *Alert, home *roster.Household, why escalate.Reason) error {
	if !a.Place.Rests && a.Place.Link >= 0 {
		// Its time is up.
		a.Place.Since = w.now.Add(-a.Chain.Links[a.Place.Link].Wait)
	}
	return w.advance(a, home, why)
}
