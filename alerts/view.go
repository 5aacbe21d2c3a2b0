package alerts

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"weimang/alerts/roster"
)

// Viewer is the id of who looks by a link. Whether she is still in the roster,
// and which homes she may see, is for the roster to say.
func (s *Service) Viewer(token string) (string, error) {
	person, until, err := openView(s.opts.LinkKey, token)
	switch {
	case err != nil:
		return "", err
	case !s.opts.Now().Before(until):
		return "", ErrExpired
	default:
		return person, nil
	}
}

// RespondByView answers on the page of a household that somebody looks at by her
// own link. r names the alert that she has seen there: if the home has another by
// now, that one has not been answered.
func (s *Service) RespondByView(ctx context.Context, token, household string, r Response) (*Alert, error) {
	person, err := s.Viewer(token)
	if err != nil {
		return nil, err
	}
	r.PersonID, r.Via = person, "page"
	var a *Alert
	err = s.update(ctx, func(w *work) (err error) {
		seen, err := w.tx.Alert(r.AlertID)
		if err != nil {
			return err
		}
		if seen == nil || seen.Area() || seen.HouseholdID != household {
			return ErrUnknownAlert
		}
		a, err = w.respond(r)
		return err
	})
	s.Nudge()
	return a, err
}

// link is the page to which a message leads, which only shows. It is a person's
// own; the operator's, and that of a site without a key, is open to his machine.
// A group, a resident and a volunteer have none: a link in a group would show all
// her homes to everybody in it.
func (w *work) link(p *roster.Person, m *Message, household string) string {
	base := strings.TrimSuffix(w.opts.BaseURL, "/")
	plain := len(w.opts.LinkKey) == 0 || m.To.Role == roster.Operator || w.fallback(p.ID) != nil
	switch {
	case base == "":
		return ""
	case plain && household == "":
		return base + "/"
	case plain:
		return base + "/household/" + url.PathEscape(household)
	case m.To.Role == roster.Resident, m.To.Role == roster.Volunteer, slices.Contains(w.opts.Groups, m.Channel):
		return ""
	}
	base += "/v/" + signView(w.opts.LinkKey, p.ID, w.now.Add(validFor))
	if household == "" {
		return base
	}
	return base + "/household/" + url.PathEscape(household)
}
