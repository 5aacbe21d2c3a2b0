package web

import (
	"context"
	"slices"
	"strings"
	"unicode"

	"weimang/alerts/roster"
)

// directory is what a page needs to know of the homes that it may show.
type directory struct {
	homes  []roster.Household
	byID   map[string]*roster.Household
	roles  map[string]roster.Role // by home, for who looks by a link
	byArea map[string][]string    // labels
	units  map[string]roster.Unit
}

// directory reads all homes that who asks may see.
func (h *handler) directory(r *request) (*directory, error) {
	ro, err := h.units(r.Context())
	if err != nil {
		return nil, err
	}
	var homes []roster.Household
	if r.who == nil {
		homes, err = h.reader.Households(r.Context())
	} else {
		homes, err = h.reader.HomesNear(r.Context(), r.who.ID)
	}
	if err != nil {
		return nil, err
	}
	for _, home := range homes {
		if r.who != nil {
			role := r.who.Sees(home, ro.above(home.VillageID))
			if role == "" {
				continue
			}
			ro.roles[home.ID] = role
		}
		ro.homes = append(ro.homes, home)
	}
	slices.SortFunc(ro.homes, func(a, b roster.Household) int { return natural(a.Title(), b.Title()) })
	for i := range ro.homes {
		home := &ro.homes[i]
		ro.add(home)
		ro.byArea[home.AreaID] = append(ro.byArea[home.AreaID], home.Title())
	}
	return ro, nil
}

// units is a directory without homes.
func (h *handler) units(ctx context.Context) (*directory, error) {
	units, err := h.reader.Units(ctx)
	if err != nil {
		return nil, err
	}
	ro := &directory{
		byID: map[string]*roster.Household{}, roles: map[string]roster.Role{}, byArea: map[string][]string{},
		units: make(map[string]roster.Unit, len(units)),
	}
	for _, u := range units {
		u.Name = tidy(u.Name)
		ro.units[u.ID] = u
	}
	return ro, nil
}

func (ro *directory) add(home *roster.Household) {
	home.Label = tidy(home.Label)
	ro.byID[home.ID] = home
}

func (ro *directory) village(id string) string { return ro.units[id].Name }

// deepest bounds the way up the tree of units, which may hold a circle.
const deepest = 8

// above are a unit and those above it.
func (ro *directory) above(id string) []roster.Unit {
	var units []roster.Unit
	for range deepest {
		u, ok := ro.units[id]
		if !ok {
			break
		}
		units = append(units, u)
		id = u.ParentID
	}
	return units
}

// tidy makes one line of somebody's words, without what cannot be seen and only
// moves or hides what can, such as marks of direction.
func tidy(s string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		default:
			return r
		}
	}, strings.ToValidUTF8(s, ""))), " ")
}
