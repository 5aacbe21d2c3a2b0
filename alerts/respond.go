package alerts

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"weimang/alerts/escalate"
	"weimang/alerts/roster"
	"weimang/detectors"
	"weimang/ingest"
	"weimang/ingest/contract"
)

// Response is what somebody says about an alert. Times are those of her clock.
type Response struct {
	AlertID  string
	PersonID string
	Action   Action
	Via      string    // channel, or "page": for the history
	From     time.Time // SayAway; zero: since it began
	Until    time.Time // SayAway (zero: open), SayMute
	Outcome  Outcome   // SayOutcome
	HandedTo string    // SayOutcome: who mends or helps, in the village's words
	FollowUp time.Time // SayOutcome: the day to look again; zero: none
	Visit    *roster.Visit
	Digits   string // of who answers in a group: the last four of her telephone
}

// Reasons why an answer is not taken.
var (
	ErrUnknownAlert = errors.New("there is no such alert")
	ErrNotYours     = errors.New("the alert is not this person's to answer")
	ErrNotOpen      = errors.New("the alert is closed")
	ErrIncomplete   = errors.New("the answer lacks something")
)

// Respond takes what somebody says. Saying it again changes nothing.
func (s *Service) Respond(ctx context.Context, ans Response) (*Alert, error) {
	var a *Alert
	err := s.update(ctx, func(w *work) (err error) {
		a, err = w.respond(ans)
		return err
	})
	if err != nil {
		return a, fmt.Errorf("answer %s: %w", ans.Action, err)
	}
	s.Nudge()
	return a, nil
}

func (w *work) respond(ans Response) (*Alert, error) {
	a, err := w.tx.Alert(ans.AlertID)
	if err != nil {
		return nil, err
	}
	if a == nil || a.Area() {
		return nil, ErrUnknownAlert
	}
	home, err := w.household(a.HouseholdID, a.AreaID)
	if err != nil {
		return nil, err
	}
	who, err := w.answerer(a, home, ans.PersonID)
	if err != nil {
		return nil, err
	}
	if a.Stage == Closed {
		return a, w.late(a, who, ans)
	}
	if ans.Visit != nil {
		if err := w.visit(a, ans); err != nil {
			return nil, err
		}
	}
	if err := w.act(a, home, who, ans); err != nil {
		return nil, err
	}
	if err := w.tx.PutAlert(a); err != nil {
		return nil, err
	}
	return a, w.compose()
}

// late is for answers to what is closed: what it was may still be said where nobody
// has, with all that belongs to it; everything else comes too late.
func (w *work) late(a *Alert, who Recipient, ans Response) error {
	if ans.Action != SayOutcome || a.Outcome != Unanswered && a.Outcome != Unasked || !slices.Contains(Outcomes, ans.Outcome) {
		return ErrNotOpen
	}
	if ans.Visit != nil {
		if err := w.visit(a, ans); err != nil {
			return err
		}
	}
	a.Outcome = ans.Outcome
	if ans.HandedTo != "" {
		a.HandedTo = ans.HandedTo
	}
	if err := w.did(a, EventOutcome, ans.PersonID, string(ans.Outcome)); err != nil {
		return err
	}
	if err := w.say(a, ans.Outcome); err != nil {
		return err
	}
	if ans.FollowUp.After(w.now) {
		a.Stage, a.ClosedAt, a.Holder, a.FollowUpAt, a.LookAt = InHand, time.Time{}, who, ans.FollowUp, ans.FollowUp
	}
	return w.tx.PutAlert(a)
}

// answerer is who answers, in the role in which she may: she was told of the
// alert, stands on its chain, or answers for the home. Whoever has left the roster
// may not.
func (w *work) answerer(a *Alert, home *roster.Household, person string) (Recipient, error) {
	if p, err := w.person(person); err != nil || p == nil {
		return Recipient{}, cmp.Or(err, ErrNotYours)
	}
	all, err := w.tx.Tellings(a.ID)
	if err != nil {
		return Recipient{}, err
	}
	for _, t := range all {
		if t.To.PersonID == person && t.Status != TellingOff {
			return t.To, nil
		}
	}
	for _, role := range roster.Roles {
		if role == roster.Volunteer || role == roster.Operator {
			continue
		}
		ids, err := w.tx.Assigned(*home, role)
		if err != nil {
			return Recipient{}, err
		}
		if slices.Contains(ids, person) {
			return Recipient{PersonID: person, Role: role}, nil
		}
	}
	return Recipient{}, ErrNotYours
}

func (w *work) act(a *Alert, home *roster.Household, who Recipient, ans Response) error {
	if (ans.Action == IAmWell || ans.Action == INeedHelp) != (who.Role == roster.Resident) {
		return ErrNotYours
	}
	w.count(func(m *metrics) { m.answers.WithLabelValues(string(ans.Action)).Inc() })
	switch ans.Action {
	case Acknowledge:
		return w.hold(a, home, who, EventAcknowledged, ans.Via)
	case SayVisited:
		return w.hold(a, home, who, EventVisited, ans.Via)
	case Pass:
		return w.pass(a, home, who, ans)
	case IAmWell:
		return w.well(a, home, who, ans)
	case INeedHelp:
		a.Helped = true
		if err := w.did(a, EventHelp, who.PersonID, ans.Via); err != nil {
			return err
		}
		a.Severity = detectors.Red
		return w.call(a, home, escalate.Of(detectors.Red), escalate.Unwell)
	case SayAway:
		from := ans.From
		if from.IsZero() {
			from = a.Onset
		}
		if !ans.Until.IsZero() && !ans.Until.After(w.now) {
			return fmt.Errorf("%w: the absence is over already", ErrIncomplete)
		}
		if err := w.did(a, EventAway, who.PersonID, ans.Via); err != nil {
			return err
		}
		if err := w.direct(a, ingest.Directive{Kind: ingest.Away, From: from, Until: ans.Until}); err != nil {
			return err
		}
		return w.settle(a, home, who, WasAway)
	case SayMute:
		if !ans.Until.After(w.now) {
			return fmt.Errorf("%w: until when", ErrIncomplete)
		}
		if err := w.did(a, EventMuted, who.PersonID, ans.Via); err != nil {
			return err
		}
		if err := w.direct(a, ingest.Directive{Kind: ingest.Mute, From: w.now, Until: ans.Until}); err != nil {
			return err
		}
		// Nobody is told until then, and then somebody looks.
		a.FollowUpAt = ans.Until
		return w.settle(a, home, who, a.Outcome)
	case SayOutcome:
		return w.outcome(a, home, who, ans)
	default:
		return fmt.Errorf("%w: no such action", ErrIncomplete)
	}
}

// hold notes that somebody sees to an alert. Calling stops, and a clock begins.
func (w *work) hold(a *Alert, home *roster.Household, who Recipient, kind EventKind, via string) error {
	if err := w.did(a, kind, who.PersonID, via); err != nil {
		return err
	}
	if a.Stage == Asking {
		return nil // it is over; there is nothing to see to
	}
	if a.Chain == nil {
		// Nobody had been called: she saw it on the page.
		policy := w.opts.Policies.For(escalate.Of(max(a.Severity, detectors.Yellow)), w.local(home))
		chain, err := policy.Freeze(escalate.Of(a.Severity), func(role roster.Role) ([]string, error) {
			if role == escalate.Holder {
				return nil, nil
			}
			return w.tx.Assigned(*home, role)
		})
		if err != nil {
			return err
		}
		chain.Seq, chain.Begun = a.LastSeq, w.now
		a.Chain, a.Place = chain, escalate.Place{Link: -1}
	}
	again := a.Stage == Held && a.Holder.PersonID == who.PersonID
	a.Stage, a.Holder, a.HeldAt, a.Reminded, a.Silenced = Held, who, w.now, 0, ""
	a.LookAt = w.now.Add(a.Chain.Held)
	if again {
		return nil
	}
	return w.release(a, home, who.PersonID)
}

// pass notes that somebody cannot.
func (w *work) pass(a *Alert, home *roster.Household, who Recipient, ans Response) error {
	if err := w.did(a, EventPassed, who.PersonID, ans.Via); err != nil {
		return err
	}
	all, err := w.tx.Tellings(a.ID)
	if err != nil {
		return err
	}
	for i := range all {
		if t := &all[i]; t.To.PersonID == who.PersonID && t.Link >= 0 && (t.Status == TellingTold || t.Status == TellingDue) {
			t.Status = TellingDeclined
			if err := w.tx.PutTelling(t); err != nil {
				return err
			}
		}
	}
	switch {
	case a.Stage == Held && a.Holder.PersonID == who.PersonID:
		a.Stage, a.Holder, a.Reminded = Calling, Recipient{}, 0
		return w.goOn(a, home, escalate.Declined)
	case a.Stage == Calling:
		return w.advance(a, home, "")
	default:
		return nil
	}
}

// well notes that the resident says all is well. What only her being alive and
// up explains is closed by that; where something is broken, or nobody can tell,
// the chain goes on at once: she may not know.
func (w *work) well(a *Alert, home *roster.Household, who Recipient, ans Response) error {
	if err := w.did(a, EventWell, who.PersonID, ans.Via); err != nil {
		return err
	}
	switch a.Kind {
	case detectors.NoSignOfLife, detectors.Frozen, detectors.NightLife:
		if err := w.say(a, FalseCall); err != nil {
			return err
		}
		return w.settle(a, home, who, FalseCall)
	}
	if a.Stage != Calling {
		return nil
	}
	return w.goOn(a, home, escalate.Declined)
}

// outcome notes what an alert was, and closes it or names a day to look again.
func (w *work) outcome(a *Alert, home *roster.Household, who Recipient, ans Response) error {
	if !slices.Contains(Outcomes, ans.Outcome) {
		return fmt.Errorf("%w: what it was", ErrIncomplete)
	}
	if !ans.FollowUp.IsZero() && !ans.FollowUp.After(w.now) {
		return fmt.Errorf("%w: the day to look again is over already", ErrIncomplete)
	}
	if err := w.did(a, EventOutcome, who.PersonID, string(ans.Outcome)); err != nil {
		return err
	}
	if a.Outcome != ans.Outcome {
		if err := w.say(a, ans.Outcome); err != nil {
			return err
		}
	}
	if ans.HandedTo != "" {
		a.HandedTo = ans.HandedTo
	}
	if !ans.FollowUp.IsZero() {
		a.FollowUpAt = ans.FollowUp
	}
	return w.settle(a, home, who, ans.Outcome)
}

// settle ends calling with an outcome, or until a day to look again.
func (w *work) settle(a *Alert, home *roster.Household, who Recipient, o Outcome) error {
	a.Holder = who
	if err := w.release(a, home, who.PersonID); err != nil {
		return err
	}
	return w.close(a, home, o, who.PersonID)
}

func (w *work) visit(a *Alert, ans Response) error {
	v := *ans.Visit
	v.HouseholdID, v.AlertID, v.PersonID = a.HouseholdID, a.ID, ans.PersonID
	if v.At.IsZero() {
		v.At = w.now
	}
	v.ID = fmt.Sprintf("%s@%d:%s", a.ID, w.now.UnixMilli(), ans.PersonID)
	return w.tx.AddVisit(v)
}

// causes are the outcomes as the detectors know them.
var causes = map[Outcome]ingest.OutcomeCause{
	Emergency: ingest.OutcomeIllness, NeedsHelp: ingest.OutcomeIllness, Appliance: ingest.OutcomeAppliance, Wiring: ingest.OutcomePower,
	WasAway: ingest.OutcomeAway, AtFamily: ingest.OutcomeAway, Technical: ingest.OutcomeMeter, FalseCall: ingest.OutcomeFalse,
}

// say tells the detectors what an alert was.
func (w *work) say(a *Alert, o Outcome) error {
	return w.direct(a, ingest.Directive{Kind: ingest.Outcome, Outcome: causes[o]})
}

// direct puts what was said of a home into the outbox for topic
// weimang.directives. What is said again of an alert replaces what was said.
func (w *work) direct(a *Alert, d ingest.Directive) error {
	d.HouseholdID, d.IssuedAt = a.HouseholdID, w.now.UTC().Truncate(time.Second)
	d.From, d.Until = second(d.From), second(d.Until)
	d.ID = directiveID(a.ID, d.Kind)
	value := contract.EncodeDirective(&d)
	if _, err := contract.DecodeDirective(contract.JSON, value); err != nil {
		return fmt.Errorf("%w: the detectors cannot be told: %w", ErrIncomplete, err)
	}
	w.enqueued++
	return w.tx.EnqueueRecord(Record{
		ID: fmt.Sprintf("%s@%d", d.ID, w.now.UnixMilli()), Topic: ingest.TopicDirectives, Key: a.HouseholdID, AlertID: a.ID, Value: value,
	}, w.now)
}

// directiveID is the identity of what was said of an alert.
func directiveID(alert string, kind ingest.DirectiveKind) string {
	sum := sha256.Sum256([]byte(string(kind) + " " + alert))
	return "alert-" + hex.EncodeToString(sum[:10])
}

func second(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Second)
}
