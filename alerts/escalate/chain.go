package escalate

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"weimang/alerts/roster"
)

// Chain is a policy as an alert has frozen it when it opened: later changes of
// the policy or of who is in which role do not touch it. Addresses, and who is
// on duty, are looked up when somebody is told.
type Chain struct {
	Policy   string   `json:"policy"`
	Occasion Occasion `json:"occasion"`
	// Seq is the transition for which it was frozen, Begun when.
	Seq   int       `json:"seq"`
	Begun time.Time `json:"begun"`
	Terms
	Quiet string `json:"quiet,omitempty"` // as roster.ParseHours reads it
	Links []Link `json:"links"`
}

// Link is one step of a chain.
type Link struct {
	Targets []Target      `json:"targets"`
	Via     []string      `json:"via,omitempty"`
	All     bool          `json:"all,omitempty"`
	Wait    time.Duration `json:"wait"`
}

// Target is somebody to be told, and in which role.
type Target struct {
	PersonID string      `json:"person_id"`
	Role     roster.Role `json:"role"`
}

// Freeze makes the chain of a policy for one of its occasions. who lists the people of a role, in the
// order in which they are called; nobody is told twice: whoever stands in an
// earlier step is left out of a later one, and a step without people is left
// out, too.
func (p *Policy) Freeze(o Occasion, who func(roster.Role) ([]string, error)) (*Chain, error) {
	c := &Chain{Policy: p.Name, Occasion: o, Terms: p.Terms, Quiet: p.Terms.Quiet.String()}
	seen := map[string]bool{}
	for _, s := range p.Steps {
		link := Link{Via: s.Via, All: s.All, Wait: s.Wait}
		for _, role := range s.Tell {
			ids, err := who(role)
			if err != nil {
				return nil, err
			}
			for _, id := range ids {
				if !seen[id] {
					seen[id] = true
					link.Targets = append(link.Targets, Target{id, role})
				}
			}
		}
		if len(link.Targets) > 0 {
			c.Links = append(c.Links, link)
		}
	}
	return c, nil
}

// Encode is the chain as the store keeps it.
func (c *Chain) Encode() (string, error) {
	b, err := json.Marshal(c)
	return string(b), err
}

// Decode reads what Encode wrote; "" is no chain.
func Decode(s string) (*Chain, error) {
	if s == "" {
		return nil, nil
	}
	var c Chain
	if err := json.Unmarshal([]byte(s), &c); err != nil {
		return nil, fmt.Errorf("chain: %w", err)
	}
	quiet, err := roster.ParseHours(c.Quiet)
	if err != nil {
		return nil, fmt.Errorf("chain: %w", err)
	}
	c.Terms.Quiet = quiet
	return &c, nil
}

// Has reports whether somebody stands anywhere on the chain.
func (c *Chain) Has(personID string) bool {
	return slices.ContainsFunc(c.Links, func(l Link) bool {
		return slices.ContainsFunc(l.Targets, func(t Target) bool { return t.PersonID == personID })
	})
}

// Due is when something that has come up at a local time is told: at once, at
// the next slot, or when the quiet hours have ended.
func (t *Terms) Due(local time.Time) time.Time {
	due := local
	if len(t.Slots) > 0 {
		due = nextSlot(local, t.Slots)
	}
	if !t.Quiet.Always() {
		for range 2 * 7 * 24 * 4 { // at most two weeks ahead: hours that never end are not quiet hours
			if !t.Quiet.Contain(due) {
				break
			}
			due = due.Truncate(15 * time.Minute).Add(15 * time.Minute)
		}
	}
	return due
}

// nextSlot is the first of some minutes of the day at or after a local time.
func nextSlot(local time.Time, slots []int) time.Time {
	for day := range 2 {
		for _, m := range slots {
			at := time.Date(local.Year(), local.Month(), local.Day()+day, 0, m, 0, 0, local.Location())
			if !at.Before(local) {
				return at
			}
		}
	}
	return local
}

// NextAt is the next time of day, in minutes, after a local time.
func NextAt(local time.Time, minute int) time.Time {
	return nextSlot(local.Add(time.Nanosecond), []int{minute})
}
