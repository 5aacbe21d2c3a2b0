package alerts

import (
	"context"
	"fmt"
	"time"

	"weimang/alerts/escalate"
	"weimang/alerts/roster"
	"weimang/detectors"
)

// Route is who would hear of an alert of a household, and when, if nobody
// answered.
type Route struct {
	Household string
	Label     string
	Village   string
	Zone      *time.Location
	Policy    string
	Rounds    int           // how often all of it comes about
	Again     time.Duration // after which it begins again
	Steps     []RouteStep
	End       time.Time // when the first round is over
	Nobody    string    // why all goes to the operator; "" where somebody is there
}

// RouteStep is one step of a route.
type RouteStep struct {
	At     time.Time
	Wait   time.Duration
	People []RoutePerson
}

// RoutePerson is somebody on a route: no name, no address.
type RoutePerson struct {
	PersonID string
	Role     roster.Role
	StandsIn string         // id of who is off duty; "" for herself
	Channels []string       // that would be used, in order; none: she cannot be reached
	Off      roster.OffDuty // why she would not be told; "" otherwise
}

// Route answers who would hear of an alert that opens now, by the clock of the
// service. It changes nothing.
func (s *Service) Route(ctx context.Context, household string, severity detectors.Severity, now time.Time) (*Route, error) {
	var out *Route
	err := s.store.Update(ctx, func(tx Tx) (err error) {
		out, err = s.newWork(tx, now).route(household, severity)
		return err
	})
	return out, err
}

func (w *work) route(household string, severity detectors.Severity) (*Route, error) {
	home, err := w.tx.Household(household)
	if err != nil {
		return nil, err
	}
	if home == nil {
		return nil, fmt.Errorf("household %s is not in the roster", household)
	}
	r := &Route{Household: home.ID, Label: home.Title(), Zone: home.Location(w.opts.Zone)}
	if u, err := w.tx.Unit(home.VillageID); err != nil {
		return nil, err
	} else if u != nil {
		r.Village = u.Name
	}
	occasion := escalate.Of(max(severity, detectors.Yellow))
	policy := w.opts.Policies.For(occasion, w.local(home))
	chain, err := policy.Freeze(occasion, func(role roster.Role) ([]string, error) {
		if role == escalate.Holder {
			return nil, nil
		}
		return w.tx.Assigned(*home, role)
	})
	if err != nil {
		return nil, err
	}
	r.Policy, r.Rounds, r.Again = chain.Policy, max(1, chain.Rounds), chain.Again
	if len(chain.Links) == 0 {
		r.Nobody = string(w.unreachable(home, nil))
	}
	start := w.now
	for _, link := range chain.Links {
		w.now = start
		due := chain.Due(w.local(home))
		w.now = due // who is on duty then
		step := RouteStep{At: due, Wait: link.Wait}
		reached := false
		for _, target := range link.Targets {
			p, err := w.routePerson(target, &link, home, severity)
			if err != nil {
				return nil, err
			}
			reached = reached || len(p.Channels) > 0 && p.Off == ""
			step.People = append(step.People, p)
		}
		if start = due; reached {
			start = due.Add(link.Wait)
		} else {
			step.Wait = 0 // it goes on at once
		}
		r.Steps = append(r.Steps, step)
	}
	r.End = start
	return r, nil
}

func (w *work) routePerson(target escalate.Target, link *escalate.Link, home *roster.Household, severity detectors.Severity) (RoutePerson, error) {
	out := RoutePerson{PersonID: target.PersonID, Role: target.Role}
	t := Telling{To: Recipient{PersonID: target.PersonID, Role: target.Role}, Severity: severity, Via: link.Via}
	p, err := w.onDuty(&t, home)
	if err != nil || p == nil {
		return out, err
	}
	if t.To.PersonID != target.PersonID {
		out.StandsIn, out.PersonID = target.PersonID, t.To.PersonID
	}
	if t.Status == TellingOff {
		out.Off = p.Off(w.local(home), w.opts.Holiday)
	}
	usable := p.Usable(w.opts.Channels)
	for c := t.contact(usable); c != nil; c = t.contact(usable) {
		out.Channels = append(out.Channels, c.Channel)
		t.Tried = append(t.Tried, c.Channel)
	}
	return out, nil
}
