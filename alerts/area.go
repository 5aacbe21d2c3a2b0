package alerts

import (
	"slices"

	"weimang/alerts/escalate"
	"weimang/alerts/roster"
	"weimang/detectors"
)

// tellArea tells an area's notice to the chairs of every village with homes in
// it. Nobody is asked to do anything, so nobody is waited for.
func (w *work) tellArea(a *Alert, f *detectors.Finding) error {
	homes, err := w.tx.AreaHouseholds(f.AreaID)
	if err != nil {
		return err
	}
	var villages []string
	for _, h := range homes {
		if len(f.Households) > 0 && !slices.Contains(f.Households, h.ID) {
			continue // the power is cut to others
		}
		if !slices.Contains(villages, h.VillageID) {
			villages = append(villages, h.VillageID)
		}
	}
	if len(villages) == 0 {
		villages = []string{""}
	}
	purpose := ToTell
	if f.State == detectors.Resolved {
		purpose = ToEnd
		// Who was still to be told of it need not hear of either.
		if err := w.tx.DropTellings(a.ID); err != nil {
			return err
		}
	}
	for _, v := range villages {
		if err := w.tellVillage(a, f, v, homes, purpose); err != nil {
			return err
		}
	}
	if f.State == detectors.Resolved {
		a.done(Unasked, w.now)
	}
	return nil
}

// tellVillage tells a village's chairs; where nobody can be told, the operator
// is, and it is counted: an alert that reaches nobody is the one thing that must
// not happen quietly.
func (w *work) tellVillage(a *Alert, f *detectors.Finding, village string, homes []roster.Household, p Purpose) error {
	home := &roster.Household{VillageID: village}
	if i := slices.IndexFunc(homes, func(h roster.Household) bool { return h.VillageID == village }); i >= 0 {
		home = &homes[i]
	}
	var chairs []string
	var err error
	if village != "" {
		if chairs, err = w.tx.Assigned(*home, roster.Chair); err != nil {
			return err
		}
	}
	reachable := false
	policy := w.opts.Policies.For(escalate.Of(max(f.Severity, detectors.Yellow)), w.local(home))
	for _, id := range chairs {
		t := Telling{
			Purpose: p, Severity: f.Severity, Link: -1, VillageID: village,
			DueAt: policy.Terms.Due(w.local(home)), To: Recipient{PersonID: id, Role: roster.Chair},
		}
		person, err := w.onDuty(&t, home)
		if err != nil {
			return err
		}
		if person == nil || len(person.Usable(w.opts.Channels)) == 0 {
			continue
		}
		if p == ToEnd {
			if heard, err := w.heardOf(a, t.To.PersonID); err != nil || !heard {
				reachable = true
				if err != nil {
					return err
				}
				continue
			}
		}
		reachable = true
		if err := w.add(a, &t); err != nil {
			return err
		}
	}
	if reachable {
		return nil
	}
	return w.tellOperator(a, ToTell, village, w.unreachable(home, chairs))
}

// heardOf reports whether somebody has a message about an alert.
func (w *work) heardOf(a *Alert, person string) (bool, error) {
	all, err := w.tx.Tellings(a.ID)
	return slices.ContainsFunc(all, func(t Telling) bool { return t.To.PersonID == person && t.MessageID != "" }), err
}
