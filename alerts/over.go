package alerts

import (
	"slices"

	"weimang/alerts/roster"
	"weimang/detectors"
)

// over is what follows when an episode has ended by itself. Who was told hears
// of it; one of them is asked, once, what it was.
func (w *work) over(a *Alert, home *roster.Household, f *detectors.Finding) error {
	switch a.Stage {
	case Closed, Asking:
		return nil
	case InHand:
		return nil // the day to look again stands
	case Noted:
		return w.close(a, home, Unasked, "")
	}
	if err := w.tx.DropTellings(a.ID); err != nil {
		return err
	}
	told, err := w.told(a)
	if err != nil {
		return err
	}
	if id := a.Holder.PersonID; id != "" && !slices.ContainsFunc(told, func(r Recipient) bool { return r.PersonID == id }) {
		told = append(told, a.Holder) // she saw it on the page
	}
	if len(told) == 0 || !f.Pushed {
		return w.close(a, home, Unasked, "")
	}
	ask := a.Holder
	if ask.PersonID == "" {
		ask = first(told, func(r Recipient) bool { return r.Role == roster.Chair })
	}
	asks := a.Chain.Asks > 0 && asked(f.Reason.Cause) && ask.PersonID != ""
	for _, r := range told {
		t := Telling{Purpose: ToEnd, Severity: a.Severity, Link: -1, DueAt: w.now, To: r}
		if a.Severity < detectors.Red {
			t.DueAt = a.Chain.Due(w.local(home))
		}
		if asks && r.PersonID == ask.PersonID {
			t.Purpose = ToAsk
		}
		if err := w.add(a, &t); err != nil {
			return err
		}
	}
	if !asks {
		return w.close(a, home, outcomeOf(f.Reason.Cause), "")
	}
	a.Stage, a.LookAt = Asking, w.now.Add(a.Chain.Asks)
	return w.did(a, EventAsked, "", string(ask.Role))
}

// asked reports whether it is worth asking what an alert was that ended for a
// cause: not where somebody has said it, or the data has.
func asked(c detectors.Cause) bool {
	switch c {
	case detectors.CauseAway, detectors.CauseMuted, detectors.CauseLeft, detectors.CauseConsentWithdrawn, detectors.CauseCorrection,
		detectors.CauseNewUsual, detectors.CauseOver:
		return false
	default:
		return true
	}
}

// outcomeOf is what an end nobody is asked about says itself.
func outcomeOf(c detectors.Cause) Outcome {
	switch c {
	case detectors.CauseAway:
		return WasAway
	case detectors.CauseCorrection:
		return Technical
	default:
		return Unasked
	}
}

// told lists who was told of an alert and not yet of its end: once each, in the
// order in which they were.
func (w *work) told(a *Alert) ([]Recipient, error) {
	all, err := w.tx.Tellings(a.ID)
	if err != nil {
		return nil, err
	}
	var out []Recipient
	at := map[string]int{}
	for _, t := range all {
		if t.Status != TellingTold && t.Status != TellingDeclined || t.MessageID == "" {
			continue
		}
		i, known := at[t.To.PersonID]
		switch over := t.Purpose == ToEnd || t.Purpose == ToRelease; {
		case !known && !over:
			at[t.To.PersonID] = len(out)
			out = append(out, t.To)
		case known && over:
			out[i].PersonID = "" // she knows
			delete(at, t.To.PersonID)
		}
	}
	var left []Recipient
	for _, r := range out {
		if r.PersonID != "" {
			left = append(left, r)
		}
	}
	return left, nil
}

func first(all []Recipient, prefer func(Recipient) bool) Recipient {
	for _, r := range all {
		if prefer(r) {
			return r
		}
	}
	for _, r := range all {
		if r.Role.Official() {
			return r
		}
	}
	return Recipient{}
}

// close ends a case with its outcome; one that has a day to look again is then
// in hand until that day.
func (w *work) close(a *Alert, home *roster.Household, o Outcome, by string) error {
	if err := w.drop(a); err != nil {
		return err
	}
	if a.FollowUpAt.After(w.now) {
		a.Stage, a.Outcome, a.LookAt, a.Silenced = InHand, o, a.FollowUpAt, ""
		return nil
	}
	a.done(o, w.now)
	w.count(func(m *metrics) { m.closed.WithLabelValues(string(a.Kind), string(o)).Inc() })
	return w.did(a, EventClosed, by, string(o))
}

// drop takes back what somebody was still to be told of an alert, but for its
// end and that she need not see to it.
func (w *work) drop(a *Alert) error { return w.tx.DropTellings(a.ID, ToEnd, ToAsk, ToRelease) }

// release tells those who were told that they need not see to it: somebody else
// does, or it is settled. Only for what would have made them go.
func (w *work) release(a *Alert, home *roster.Household, but string) error {
	if err := w.drop(a); err != nil {
		return err
	}
	told, err := w.told(a)
	if err != nil || !a.Severity.VisitLevel() {
		return err
	}
	for _, r := range told {
		if r.PersonID == but || r.Role == roster.Resident || r.Role == roster.Operator {
			continue
		}
		t := Telling{Purpose: ToRelease, Severity: a.Severity, Link: -1, DueAt: w.now, To: r}
		if a.Severity < detectors.Red {
			t.DueAt = a.Chain.Due(w.local(home))
		}
		if err := w.add(a, &t); err != nil {
			return err
		}
	}
	return nil
}
