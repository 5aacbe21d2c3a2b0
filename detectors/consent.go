package detectors

import (
	"slices"
	"strings"

	"weimang/ingest"
)

// consent is the last word on whether a household wants to be watched.
type consent struct {
	id        string // of the household
	Issued    uint32 // tick
	Withdrawn bool
}

// applyConsent begins or ends the watching of a household: from its arrival on,
// and of nothing before, since what is known of somebody who does not want it
// must not be kept for the sake of order. The last word stays, so that an earlier
// one that is read again changes nothing.
func (a *Area) applyConsent(d *ingest.Directive, issued tick, out *Output) {
	i, ok := a.consentOf(d.HouseholdID)
	if !ok {
		a.consents = slices.Insert(a.consents, i, consent{id: strings.Clone(d.HouseholdID)})
	}
	c := &a.consents[i]
	if ok && issued < tick(c.Issued) {
		return
	}
	c.Issued, c.Withdrawn = uint32(issued), d.Kind == ingest.ConsentWithdrawn
	if i := a.homeOf(d.HouseholdID); c.Withdrawn && i >= 0 {
		a.dismiss(i, CauseConsentWithdrawn, out)
	}
}

// withdrawn reports whether a household does not want to be watched.
func (a *Area) withdrawn(householdID string) bool {
	if len(a.consents) == 0 { // as nearly always
		return false
	}
	i, ok := a.consentOf(householdID)
	return ok && a.consents[i].Withdrawn
}

func (a *Area) consentOf(householdID string) (int, bool) {
	return slices.BinarySearchFunc(a.consents, householdID, func(c consent, id string) int { return strings.Compare(c.id, id) })
}

// homeOf is the place of a household, -1: it is not known.
func (a *Area) homeOf(householdID string) int {
	if i, known := a.place(householdID); known {
		return i
	}
	return -1
}

// dismiss forgets a home, and ends what has been told of it.
func (a *Area) dismiss(i int, why Cause, out *Output) {
	h := a.homes[i]
	if h.public.Open {
		ep := h.live.Episode
		ep.Open, ep.End, ep.EndCause = false, max(a.ticks.now, h.public.Onset+1), code(Causes, why)
		a.tellHome(h, &ep, out)
	}
	a.homes = slices.Delete(a.homes, i, i+1)
	a.scan, a.last = 0, 0
	a.findPassing()
}
