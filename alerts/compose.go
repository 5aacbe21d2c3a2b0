package alerts

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"weimang/alerts/escalate"
	"weimang/alerts/roster"
)

// aBurst is within what time what a person is told is put together once it is
// more than Policies.Burst messages.
const aBurst = time.Minute

// compose makes one message for each person of what is due for her now. Where
// somebody cannot be reached the chain goes on at once, and others are told.
func (w *work) compose() error {
	for len(w.people) > 0 || len(w.unheard) > 0 {
		people, unheard := slices.Sorted(maps.Keys(w.people)), w.unheard
		clear(w.people)
		w.unheard = nil
		for _, id := range people {
			if err := w.composeFor(id); err != nil {
				return err
			}
		}
		for _, id := range unheard {
			if err := w.lookAt(id); err != nil {
				return err
			}
		}
	}
	return nil
}

// item is a telling with what its message is written from.
type item struct {
	telling *Telling
	alert   *Alert
	notice  Notice
	contact roster.Contact
}

func (w *work) composeFor(id string) error {
	due, err := w.tx.DueTellings(id, w.now)
	if err != nil || len(due) == 0 {
		return err
	}
	p, err := w.person(id)
	if err != nil {
		return err
	}
	byChannel := map[string][]item{}
	var channels []string
	for i := range due {
		t := &due[i]
		contact := w.contact(p, t)
		if contact == nil {
			if err := w.cannotReach(t); err != nil {
				return err
			}
			continue
		}
		it, err := w.item(t)
		if err != nil {
			return err
		}
		it.contact = *contact
		if byChannel[contact.Channel] == nil {
			channels = append(channels, contact.Channel)
		}
		byChannel[contact.Channel] = append(byChannel[contact.Channel], it)
	}
	for _, c := range channels {
		if err := w.composeOver(p, byChannel[c]); err != nil {
			return err
		}
	}
	return nil
}

// contact is where to reach somebody next; nil is nowhere.
func (w *work) contact(p *roster.Person, t *Telling) *roster.Contact {
	if p == nil {
		return nil
	}
	return t.contact(p.Usable(w.opts.Channels))
}

// cannotReach notes that no channel reaches somebody.
func (w *work) cannotReach(t *Telling) error {
	t.Status = TellingUnreachable
	if err := w.tx.PutTelling(t); err != nil {
		return err
	}
	if t.Link >= 0 {
		w.unheard = append(w.unheard, t.AlertID)
	}
	return nil
}

// composeOver makes a message of what is due for somebody over one channel, or
// puts it off: what is more than a few in a minute is told together, and what is
// more than some on a day waits for the digest, if it is not grave.
func (w *work) composeOver(p *roster.Person, items []item) error {
	slices.SortStableFunc(items, func(a, b item) int {
		return cmp.Or(-cmp.Compare(a.telling.Severity, b.telling.Severity), cmp.Compare(a.telling.N, b.telling.N))
	})
	zone := items[0].notice.Zone
	local := w.now.In(zone)
	pushes, err := w.tx.Pushes(p.ID, local.Format(time.DateOnly))
	if err != nil {
		return err
	}
	policies := w.opts.Policies
	if policies.Burst > 0 && pushes.Burst >= policies.Burst && w.now.Before(pushes.BurstAt.Add(aBurst)) {
		return w.putOff(items, pushes.BurstAt.Add(aBurst), false)
	}
	if policies.Daily > 0 && pushes.Count >= policies.Daily {
		var now, later []item
		for _, it := range items {
			if it.telling.Severity.VisitLevel() || it.telling.Digest {
				now = append(now, it)
			} else {
				later = append(later, it)
			}
		}
		if err := w.putOff(later, escalate.NextAt(local, policies.Digest), true); err != nil {
			return err
		}
		items = now
	}
	if len(items) == 0 {
		return nil
	}
	if err := w.tx.CountPush(p.ID, local.Format(time.DateOnly), w.now, aBurst); err != nil {
		return err
	}
	return w.enqueue(p, items)
}

// putOff has tellings wait.
func (w *work) putOff(items []item, until time.Time, digest bool) error {
	for _, it := range items {
		it.telling.DueAt, it.telling.Digest = until, it.telling.Digest || digest
		if err := w.tx.PutTelling(it.telling); err != nil {
			return err
		}
		if it.telling.Link < 0 {
			continue
		}
		// The time to answer begins when she hears of it.
		if err := w.tx.Shift(it.alert.ID, until); err != nil {
			return err
		}
	}
	return nil
}

// item looks up what a telling is written from.
func (w *work) item(t *Telling) (item, error) {
	a, err := w.tx.Alert(t.AlertID)
	if err != nil {
		return item{}, err
	}
	home, err := w.household(a.HouseholdID, a.AreaID)
	if err != nil {
		return item{}, err
	}
	n, err := w.notice(a, home, t)
	return item{telling: t, alert: a, notice: n}, err
}

// notice is what is known of an alert for one person.
func (w *work) notice(a *Alert, home *roster.Household, t *Telling) (Notice, error) {
	n := Notice{
		Finding: a.Latest(), Purpose: t.Purpose, Role: t.To.Role, StandsIn: t.StandsIn, Zone: w.opts.Zone,
		Fallback: t.To.Role == roster.Operator && t.Purpose != ToWarn,
		Outcome:  a.Outcome, HandedTo: a.HandedTo, Helped: a.Helped, Holder: a.Holder.Role, HeldSince: a.HeldAt,
	}
	if !w.opts.Policies.Replayed {
		n.Now = w.now // what is told in the morning speaks of "yesterday evening"
	}
	if !a.ToldAt.IsZero() {
		n.Waited = w.now.Sub(a.ToldAt)
	}
	village := t.VillageID
	if home != nil {
		village = home.VillageID
		n.Label, n.Zone = home.Title(), home.Location(w.opts.Zone)
		n.Answers = w.answers(a, t)
	} else {
		homes, err := w.tx.AreaHouseholds(a.AreaID)
		if err != nil {
			return n, err
		}
		for _, h := range homes {
			if h.VillageID != village || len(a.Finding.Households) > 0 && !slices.Contains(a.Finding.Households, h.ID) {
				continue
			}
			if len(n.Homes) == 0 {
				n.Zone = h.Location(w.opts.Zone)
			}
			n.Homes = append(n.Homes, h.Title())
		}
	}
	if village == "" {
		return n, nil
	}
	unit, err := w.tx.Unit(village)
	if err == nil && unit != nil {
		n.Village = unit.Name
	}
	return n, err
}

// answers are what somebody can answer to a telling, in the order of its keys.
// Nobody is waited for where the chain has no terms.
func (w *work) answers(a *Alert, t *Telling) []Action {
	if a.Chain == nil || a.Chain.Held == 0 {
		return nil
	}
	switch t.Purpose {
	case ToTell, ToTakeOver:
		switch t.To.Role {
		case roster.Resident:
			return []Action{IAmWell, INeedHelp}
		case roster.Operator:
			return nil
		default:
			return []Action{Acknowledge, SayAway, Pass, SayOutcome}
		}
	case ToRemind, ToAsk, ToFollowUp:
		return []Action{SayOutcome, SayAway}
	default:
		return nil
	}
}

// enqueue writes one message for one or more tellings and notes that they are
// told.
func (w *work) enqueue(p *roster.Person, items []item) error {
	first := items[0]
	m := w.message(p, first)
	digest := !slices.ContainsFunc(items, func(it item) bool { return !it.telling.Digest })
	if len(items) > 1 || digest {
		m.URL = w.link(p, &m, "")
		w.bundle(&m, items, digest)
	}
	rank, err := w.rank(first.telling)
	if err != nil {
		return err
	}
	m.Rank = rank
	if err := w.ask(&m, p, items); err != nil {
		return err
	}
	w.enqueued++
	if err := w.tx.EnqueueMessage(m); err != nil {
		return err
	}
	for _, it := range items {
		it.telling.Status, it.telling.MessageID = TellingTold, m.ID
		if err := w.tx.PutTelling(it.telling); err != nil {
			return err
		}
	}
	return nil
}

// message is the message of a single telling.
func (w *work) message(p *roster.Person, it item) Message {
	a, t, n, f := it.alert, it.telling, it.notice, it.notice.Finding
	lang := cmp.Or(p.Lang, roster.Chinese)
	m := Message{
		ID: t.ID + ":" + it.contact.Channel, AlertID: a.ID, Seq: t.Seq,
		To: t.To, Channel: it.contact.Channel, Lang: lang,
		Kind: f.Kind, Severity: f.Severity, State: f.State,
		HouseholdID: f.HouseholdID, Label: n.Label, AreaID: f.AreaID, VillageID: cmp.Or(t.VillageID, a.VillageID),
		// In the zone of whom it is about, for people read it too.
		Onset: f.Onset.In(n.Zone), DecidedAt: f.DecidedAt.In(n.Zone),
		Fallback: n.Fallback, CreatedAt: w.now, Deadline: w.now.Add(w.opts.Deadline),
	}
	m.URL = w.link(p, &m, f.HouseholdID)
	if t.Purpose != ToTell && t.Purpose != ToEnd {
		m.Purpose = t.Purpose
	}
	text, err := w.wording.Text(lang, n)
	if err != nil {
		// A message in plain words beats a perfect one that is never sent.
		w.log.Error("word a message", "kind", f.Kind, "cause", f.Reason.Cause, "purpose", t.Purpose, "lang", lang, "err", err)
		w.count(func(m *metrics) { m.unworded.Inc() })
		text = plain(n)
	}
	m.Title, m.Text = text.Title, text.Body
	return m
}

// plain is what is said when the catalogue fails.
func plain(n Notice) Text {
	f := n.Finding
	return Text{Title: n.Label + " " + string(f.Kind), Body: strings.Join([]string{n.Label, f.Severity.String(), string(f.Kind), string(f.State)}, " ")}
}

// bundle makes a message tell several homes.
func (w *work) bundle(m *Message, items []item, digest bool) {
	notices := make([]Notice, len(items))
	for i, it := range items {
		notices[i] = it.notice
		m.Alerts = append(m.Alerts, it.alert.ID)
	}
	m.Digest = digest
	text, err := w.wording.Bundle(m.Lang, notices, digest)
	if err != nil {
		w.log.Error("word a bundle", "homes", len(items), "lang", m.Lang, "err", err)
		w.count(func(m *metrics) { m.unworded.Inc() })
		text = plain(items[0].notice)
		for _, n := range notices[1:] {
			text.Body += "\n" + plain(n).Body
		}
	}
	m.Title, m.Text = text.Title, text.Body
}

// rank is how soon a message goes out among those that wait.
func (w *work) rank(t *Telling) (Rank, error) {
	told, err := w.tx.Told(t.AlertID, t.To.PersonID)
	switch {
	case err != nil:
		return 0, err
	case !told:
		return FirstContact, nil
	case t.Purpose == ToEnd || t.Purpose == ToRelease || t.Purpose == ToAsk:
		return AllClear, nil
	default:
		return FollowUp, nil
	}
}
