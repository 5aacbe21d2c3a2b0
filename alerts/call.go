package alerts

import (
	"slices"
	"time"

	"weimang/alerts/escalate"
	"weimang/alerts/roster"
	"weimang/detectors"
)

// rise is what follows when an alert has opened or become graver.
func (w *work) rise(a *Alert, home *roster.Household) error {
	silence, err := w.silence(a)
	if err != nil {
		return err
	}
	if silence != "" && a.Stage == Noted {
		return w.hush(a, silence)
	}
	switch a.Stage {
	case Held, InHand:
		// Whoever sees to it hears that it is graver, and has less time.
		if w.inTime(a) {
			return w.tellHolder(a, home, ToTell)
		}
		return w.call(a, home, escalate.Of(a.Severity), escalate.Graver)
	case Closed:
		if err := w.did(a, EventReopened, "", ""); err != nil {
			return err
		}
		a.ClosedAt, a.Outcome = time.Time{}, ""
		return w.call(a, home, escalate.Of(a.Severity), escalate.Graver)
	case Noted:
		return w.call(a, home, escalate.Of(a.Severity), escalate.Opened)
	default:
		return w.call(a, home, escalate.Of(a.Severity), escalate.Graver)
	}
}

// inTime reports whether who sees to an alert is still within her time.
func (w *work) inTime(a *Alert) bool {
	return a.Stage == Held && a.Holder.PersonID != "" && a.Reminded == 0 && w.now.Before(a.HeldAt.Add(a.Chain.Held))
}

// call freezes the chain for an occasion and begins it.
func (w *work) call(a *Alert, home *roster.Household, o escalate.Occasion, why escalate.Reason) error {
	if err := w.tx.DropTellings(a.ID); err != nil {
		return err
	}
	policy := w.opts.Policies.For(o, w.local(home))
	chain, err := policy.Freeze(o, func(role roster.Role) ([]string, error) {
		switch {
		case role == escalate.Holder && a.Holder.PersonID == "":
			return nil, nil
		case role == escalate.Holder:
			return []string{a.Holder.PersonID}, nil
		case role == roster.Resident && a.Helped:
			return nil, nil // she has been heard
		default:
			return w.tx.Assigned(*home, role)
		}
	})
	if err != nil {
		return err
	}
	chain.Seq, chain.Begun = a.LastSeq, w.now
	a.Stage, a.Chain, a.Silenced = Calling, chain, ""
	a.Place = escalate.Place{Link: -1}
	return w.advance(a, home, why)
}

// advance moves the chain on as far as it goes now. why overrides the reason of
// the first move, where the caller knows better; "" does not.
func (w *work) advance(a *Alert, home *roster.Household, why escalate.Reason) error {
	for {
		heard, err := w.heard(a)
		if err != nil {
			return err
		}
		move, reason, until := a.Chain.Decide(a.Place, heard, w.now)
		if why != "" && (move == escalate.Next || move == escalate.Again) {
			reason = why
		}
		why = ""
		switch move {
		case escalate.Stay:
			a.LookAt = until
			return nil
		case escalate.Rest:
			if !a.Place.Rests {
				a.Place.Rests, a.Place.Since = true, w.now
			}
			a.LookAt = until
			return nil
		case escalate.Warn:
			return w.warn(a, home)
		case escalate.Again:
			a.Place = escalate.Place{Link: -1, Round: a.Place.Round + 1}
		case escalate.Next:
			a.Place.Link++
			if err := w.begin(a, home, reason); err != nil {
				return err
			}
		}
	}
}

// heard is what became of the people of the link that was told last.
func (w *work) heard(a *Alert) (h escalate.Heard, err error) {
	all, err := w.tx.Tellings(a.ID)
	if err != nil {
		return h, err
	}
	best := map[string]TellingStatus{} // of each person over all her channels
	for _, t := range all {
		if t.Seq != a.Chain.Seq || t.CreatedAt.Before(a.Chain.Begun) || t.Round != a.Place.Round || t.Link != a.Place.Link || t.Status == TellingDropped {
			continue // of another link
		}
		if old, ok := best[t.To.PersonID]; !ok || old == TellingUnreachable {
			best[t.To.PersonID] = t.Status
		}
	}
	for _, s := range best {
		h.Told++
		switch s {
		case TellingUnreachable:
			h.Unreachable++
		case TellingOff:
			h.Off++
		case TellingDeclined:
			h.Declined++
		}
	}
	return h, nil
}

// begin tells the people of the chain's present link.
func (w *work) begin(a *Alert, home *roster.Household, why escalate.Reason) error {
	link := &a.Chain.Links[a.Place.Link]
	if err := w.did(a, EventCalled, "", string(why)); err != nil {
		return err
	}
	w.count(func(m *metrics) { m.steps.WithLabelValues(string(why)).Inc() })
	due := a.Chain.Due(w.local(home))
	a.Place.Since = due
	for _, target := range link.Targets {
		t := Telling{
			Purpose: w.purpose(a, target.Role, why), Severity: a.Severity, Round: a.Place.Round, Link: a.Place.Link,
			Via: link.Via, DueAt: due, To: Recipient{PersonID: target.PersonID, Role: target.Role},
		}
		p, err := w.onDuty(&t, home)
		if err != nil {
			return err
		}
		if !link.All || p == nil {
			if err := w.add(a, &t); err != nil {
				return err
			}
			continue
		}
		t.OnlyVia = true
		for _, c := range p.Usable(w.opts.Channels) {
			if t.Via = []string{c.Channel}; len(link.Via) == 0 || slices.Contains(link.Via, c.Channel) {
				if err := w.add(a, &t); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// purpose is what somebody on the chain is told something for.
func (w *work) purpose(a *Alert, role roster.Role, why escalate.Reason) Purpose {
	switch {
	case a.Chain.Occasion == escalate.FollowUp:
		return ToFollowUp
	case role == roster.Resident, role == roster.Kin, why == escalate.Opened, why == escalate.Graver, why == escalate.Unwell:
		return ToTell
	case a.Place.Link == 0 && a.Place.Round == 0:
		return ToTell
	default:
		return ToTakeOver
	}
}

// longestStandIn bounds who stands in for whom stands in for whom.
const longestStandIn = 3

// onDuty puts who stands in into a telling for somebody who is off, and returns
// the person. Where nobody does, she is told herself if it is red; otherwise the
// telling says that she is off.
func (w *work) onDuty(t *Telling, home *roster.Household) (*roster.Person, error) {
	local := w.local(home)
	first, err := w.person(t.To.PersonID)
	if err != nil || first == nil {
		return nil, err
	}
	p := first
	for range longestStandIn {
		if p.Off(local, w.opts.Holiday) == "" {
			if p.ID != first.ID {
				t.To.PersonID, t.StandsIn = p.ID, t.To.Role
			}
			return p, nil
		}
		next := p.StandInAt(local)
		if next == "" {
			break
		}
		if p, err = w.person(next); err != nil || p == nil {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	if t.Severity < detectors.Red {
		t.Status = TellingOff
	}
	return first, nil
}

// person is somebody of the roster, or whom the configuration names for what
// has nobody else to go to; nil is nobody any more.
func (w *work) person(id string) (*roster.Person, error) {
	if p := w.fallback(id); p != nil {
		return p, nil
	}
	return w.tx.Person(id)
}

// add writes down that somebody is to be told.
func (w *work) add(a *Alert, t *Telling) error {
	t.AlertID, t.Seq, t.CreatedAt = a.ID, a.LastSeq, w.now
	if t.Link >= 0 {
		t.Seq = a.Chain.Seq
	}
	if t.Status == "" {
		t.Status = TellingDue
	}
	t.ID = tellingID(t)
	if a.ToldAt.IsZero() && t.Status == TellingDue {
		a.ToldAt = t.DueAt
	}
	w.people[t.To.PersonID] = true
	return w.tx.AddTelling(t)
}

// local is the wall clock where a home is; nil is where the site is.
func (w *work) local(home *roster.Household) time.Time {
	if home == nil {
		return w.now.In(w.opts.Zone)
	}
	return w.now.In(home.Location(w.opts.Zone))
}

// tellHolder tells who sees to an alert; the clock of her time begins anew.
func (w *work) tellHolder(a *Alert, home *roster.Household, p Purpose) error {
	due := w.now
	if p != ToTell || a.Severity < detectors.Red {
		due = a.Chain.Due(w.local(home))
	}
	t := Telling{Purpose: p, Severity: a.Severity, Link: -1, DueAt: due, To: a.Holder}
	return w.add(a, &t)
}
