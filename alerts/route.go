package alerts

import (
	"net/url"
	"slices"
	"strings"

	"weimang/alerts/roster"
	"weimang/detectors"
)

// unroutedReason says why a message went to the operator. The set is closed.
type unroutedReason string

const (
	noHousehold unroutedReason = "no-household" // not in the roster, or an area without homes
	noVillage   unroutedReason = "no-village"
	noChair     unroutedReason = "no-chair"
	noChannel   unroutedReason = "no-channel" // the chair's channel does not exist
)

var unroutedReasons = []unroutedReason{noHousehold, noVillage, noChair, noChannel}

// tell writes the messages of one pushed transition: to the chairs of the
// household's village, or of every village with homes in the area.
func (w *work) tell(f *detectors.Finding, home *roster.Household) error {
	if home != nil {
		return w.tellVillage(f, home.VillageID, []roster.Household{*home})
	}
	homes, err := w.tx.AreaHouseholds(f.AreaID)
	if err != nil {
		return err
	}
	var villages []string
	byVillage := map[string][]roster.Household{}
	for _, h := range homes {
		if len(f.Households) > 0 && !slices.Contains(f.Households, h.ID) {
			continue // the power is cut to others
		}
		if !slices.Contains(villages, h.VillageID) {
			villages = append(villages, h.VillageID)
		}
		byVillage[h.VillageID] = append(byVillage[h.VillageID], h)
	}
	if len(villages) == 0 {
		return w.tellVillage(f, "", nil)
	}
	for _, v := range villages {
		if err := w.tellVillage(f, v, byVillage[v]); err != nil {
			return err
		}
	}
	return nil
}

// tellVillage writes a village's messages; where nobody can be told, the
// operator is, and it is counted: an alert that reaches nobody is the one
// thing that must not happen quietly.
func (w *work) tellVillage(f *detectors.Finding, villageID string, homes []roster.Household) error {
	n := w.notice(f, homes)
	people, why, err := w.recipients(villageID, homes, &n)
	if err != nil {
		return err
	}
	if why != "" {
		w.unrouted = append(w.unrouted, why)
		if err := w.event(f, EventUnrouted, string(why)); err != nil {
			return err
		}
	}
	for _, p := range people {
		if err := w.enqueue(f, n, villageID, p); err != nil {
			return err
		}
	}
	return nil
}

func (w *work) notice(f *detectors.Finding, homes []roster.Household) Notice {
	n := Notice{Finding: f, Zone: w.opts.Zone}
	if len(homes) > 0 {
		n.Zone = homes[0].Location(w.opts.Zone)
	}
	if f.HouseholdID != "" {
		n.Label = homes[0].Title()
		return n
	}
	for _, h := range homes {
		n.Homes = append(n.Homes, h.Title())
	}
	return n
}

// recipients are a village's chairs that have a channel, or the operator and
// the reason why it is the operator.
func (w *work) recipients(villageID string, homes []roster.Household, n *Notice) ([]roster.Person, unroutedReason, error) {
	fallback := w.opts.Fallback
	if villageID != "" {
		// Two villages of an area may both want a chair: two messages, two recipients.
		fallback.ID += "/" + villageID
	}
	village, err := w.tx.Village(villageID)
	if err != nil {
		return nil, "", err
	}
	if village == nil {
		n.Fallback = true
		if len(homes) == 0 || homes[0].Unlisted {
			return []roster.Person{fallback}, noHousehold, nil
		}
		return []roster.Person{fallback}, noVillage, nil
	}
	n.Village = village.Name
	chairs, err := w.tx.Chairs(villageID)
	if err != nil {
		return nil, "", err
	}
	reachable := chairs[:0:0]
	for _, p := range chairs {
		if w.opts.Channels == nil || slices.Contains(w.opts.Channels, p.Channel) {
			reachable = append(reachable, p)
		}
	}
	switch {
	case len(reachable) > 0:
		return reachable, "", nil
	case len(chairs) > 0:
		n.Fallback = true
		return []roster.Person{fallback}, noChannel, nil
	default:
		n.Fallback = true
		return []roster.Person{fallback}, noChair, nil
	}
}

func (w *work) enqueue(f *detectors.Finding, n Notice, villageID string, p roster.Person) error {
	lang := p.Lang
	if lang == "" {
		lang = roster.Chinese
	}
	text, err := w.wording.Text(lang, n)
	if err != nil {
		// A message in plain words beats a perfect one that is never sent.
		w.log.Error("word a message", "kind", f.Kind, "cause", f.Reason.Cause, "lang", lang, "err", err)
		w.metrics.unworded.Inc()
		text = Text{Title: n.Label + " " + string(f.Kind), Body: n.Label + " " + f.Severity.String() + " " + string(f.Kind) + " " + string(f.State)}
	}
	rank := FollowUp
	if f.State == detectors.Resolved {
		rank = AllClear
	}
	told, err := w.tx.Told(f.AlertID(), p.ID)
	if err != nil {
		return err
	}
	if !told {
		rank = FirstContact
	}
	w.enqueued++
	return w.tx.EnqueueMessage(Message{
		ID: MessageID(f.AlertID(), f.Seq, p.ID, p.Channel), AlertID: f.AlertID(), Seq: f.Seq,
		To: Recipient{PersonID: p.ID, Role: p.Role}, Channel: p.Channel, Lang: lang,
		Kind: f.Kind, Severity: f.Severity, State: f.State,
		HouseholdID: f.HouseholdID, Label: n.Label, AreaID: f.AreaID, VillageID: villageID,
		// In the zone of whom it is about, for people read it too.
		Onset: f.Onset.In(n.Zone), DecidedAt: f.DecidedAt.In(n.Zone), Title: text.Title, Text: text.Body, URL: w.link(f),
		Fallback: n.Fallback, CreatedAt: w.now, Deadline: w.now.Add(w.opts.Deadline), Rank: rank,
	})
}

// link is the page a message leads to; it only shows, it never changes.
func (w *work) link(f *detectors.Finding) string {
	switch {
	case w.opts.BaseURL == "":
		return ""
	case f.HouseholdID == "":
		return strings.TrimSuffix(w.opts.BaseURL, "/") + "/"
	default:
		return strings.TrimSuffix(w.opts.BaseURL, "/") + "/household/" + url.PathEscape(f.HouseholdID)
	}
}
