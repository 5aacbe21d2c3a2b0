package alerts

import (
	"encoding/json"
	"fmt"
	"time"

	"weimang/alerts/roster"
	"weimang/detectors"
)

// work is one transaction of the service and what it will have done once it
// is committed; metrics hear of it only then.
type work struct {
	*Service
	tx  Tx
	now time.Time // wall

	people  map[string]bool // who has something new to be told
	unheard []string        // alerts of which somebody could not be told
	counted []func(*metrics)

	repeats  int
	enqueued int
}

func (s *Service) newWork(tx Tx, now time.Time) *work {
	now = now.Truncate(time.Millisecond) // as the store keeps it: what is read back compares equal
	return &work{Service: s, tx: tx, now: now, people: map[string]bool{}}
}

// count notes something to be counted once the transaction is committed.
func (w *work) count(f func(*metrics)) { w.counted = append(w.counted, f) }

// apply takes one transition through transition, alert, history and outbox.
func (w *work) apply(f *detectors.Finding, raw json.RawMessage) error {
	t := Transition{AlertID: f.AlertID(), Seq: f.Seq, Raw: raw}
	isNew, err := w.tx.AddTransition(t, w.now)
	if err != nil {
		return err
	}
	if !isNew {
		w.repeats++
		return nil
	}
	home, err := w.household(f.HouseholdID, f.AreaID)
	if err != nil {
		return err
	}
	alert, news, err := w.step(f, home)
	if err != nil {
		return err
	}
	if err := w.publish(t, alert.VillageID); err != nil {
		return err
	}
	if err := w.follow(alert, home, f, news); err != nil {
		return err
	}
	return w.tx.PutAlert(alert)
}

// household looks a household up. One that the roster does not know gets an
// alert all the same, under its id; an area's notice has none.
func (w *work) household(id, area string) (*roster.Household, error) {
	if id == "" {
		return nil, nil
	}
	home, err := w.tx.Household(id)
	if err != nil {
		return nil, err
	}
	if home == nil {
		home = &roster.Household{ID: id, AreaID: area, Unlisted: true}
	}
	return home, nil
}

// step brings the alert's row and history on by one transition. news is false
// for one that comes after its successor: that is history.
func (w *work) step(f *detectors.Finding, home *roster.Household) (a *Alert, news bool, err error) {
	if a, err = w.tx.Alert(f.AlertID()); err != nil {
		return nil, false, err
	}
	newer := ""
	if a == nil {
		a = &Alert{
			ID: f.AlertID(), Subject: f.Subject(), HouseholdID: f.HouseholdID, AreaID: f.AreaID,
			Kind: f.Kind, Severity: f.Severity, Onset: f.Onset, OpenedAt: f.At, Finding: f, Case: Case{Stage: Noted},
		}
		if newer, err = w.supersede(f, a); err != nil {
			return nil, false, err
		}
		w.count(func(m *metrics) { m.opens(f) })
	}
	if home != nil && home.VillageID != "" {
		a.VillageID = home.VillageID // the roster may have learnt it, or moved the home, since
	}
	if news = f.Seq > a.LastSeq; news {
		a.LastSeq = f.Seq
		a.UpdatedAt = f.At
		switch {
		case f.State == detectors.Resolved && a.Open():
			a.ResolvedAt, a.Ending = f.At, f
			w.count(func(m *metrics) { m.resolves(a) })
		case f.State != detectors.Resolved && a.Open():
			a.Kind, a.Severity, a.Onset, a.Finding = f.Kind, f.Severity, f.Onset, f
		default:
			news = false // nothing follows an end
		}
	}
	event := map[detectors.State]EventKind{
		detectors.Open: EventOpened, detectors.Update: EventUpdated, detectors.Resolved: EventResolved,
	}[f.State]
	late := newer != "" && a.Open()
	if late {
		a.ResolvedAt = f.At
		a.done(Superseded, w.now)
		w.count(func(m *metrics) { m.resolves(a) })
	}
	// The row goes before its history.
	if err := w.tx.PutAlert(a); err != nil {
		return nil, false, err
	}
	if late {
		if err := w.event(a, f.Seq, EventSuperseded, f.At, newer); err != nil {
			return nil, false, err
		}
	}
	return a, news && !late, w.event(a, f.Seq, event, f.At, "")
}

// supersede ends what is left of earlier alerts of the same subject, for a
// household has one alert: one that is still open, since its end was never
// heard, and one whose case is not closed, which the new one goes on with. The
// id of an open one that is newer than f is returned instead: when a home has
// moved, the last words of its old area may come after the first of its new one.
func (w *work) supersede(f *detectors.Finding, next *Alert) (newer string, err error) {
	old, err := w.tx.OpenAlert(f.Subject())
	if err != nil {
		return "", err
	}
	if old == nil {
		old, err = w.tx.Unclosed(f.Subject())
		if err != nil || old == nil {
			return "", err
		}
	}
	if old.Finding.Episode > f.Episode {
		return old.ID, nil
	}
	if old.Open() {
		old.ResolvedAt, old.UpdatedAt = f.At, f.At
		w.count(func(m *metrics) { m.resolves(old) })
	}
	next.Continues, next.FollowUpAt, next.HandedTo = old.ID, old.FollowUpAt, old.HandedTo
	if err := w.tx.DropTellings(old.ID); err != nil {
		return "", err
	}
	old.done(Superseded, w.now)
	if err := w.tx.PutAlert(old); err != nil {
		return "", err
	}
	return "", w.event(old, old.LastSeq, EventSuperseded, f.At, f.AlertID())
}

// follow does what a transition means for who is told.
func (w *work) follow(a *Alert, home *roster.Household, f *detectors.Finding, news bool) error {
	switch {
	case a.Area():
		if f.Pushed {
			return w.tellArea(a, f)
		}
		if f.State == detectors.Resolved && a.Stage != Closed {
			a.done(Unasked, w.now)
		}
		return nil
	case !news:
		return nil
	case f.State == detectors.Resolved:
		return w.over(a, home, f)
	case f.Pushed && f.Severity >= detectors.Yellow: // blue stays on the page
		return w.rise(a, home)
	default:
		return nil
	}
}

func (w *work) event(a *Alert, seq int, kind EventKind, at time.Time, detail string) error {
	return w.tx.AppendEvent(Event{AlertID: a.ID, Seq: seq, Kind: kind, At: at, Detail: detail, RecordedAt: w.now})
}

// did notes what somebody, or the system itself, has just done about an alert.
func (w *work) did(a *Alert, kind EventKind, by, detail string) error {
	return w.tx.AppendEvent(Event{
		AlertID: a.ID, Seq: a.LastSeq, Kind: kind, At: w.now, Detail: detail, PersonID: by, RecordedAt: w.now,
	})
}

// publish puts the transition into the outbox for topic weimang.alerts.
func (w *work) publish(t Transition, village string) error {
	value, err := json.Marshal(Published{AlertID: t.AlertID, Seq: t.Seq, VillageID: village, Finding: t.Raw})
	if err != nil {
		return fmt.Errorf("encode for publication: %w", err)
	}
	w.enqueued++
	return w.tx.EnqueueRecord(Record{ID: TransitionID(t.AlertID, t.Seq), Key: t.AlertID, AlertID: t.AlertID, Value: value}, w.now)
}
