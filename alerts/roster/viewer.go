package roster

import "slices"

// Viewer is somebody who looks at homes by a link of her own.
type Viewer struct {
	ID     string
	Lang   Lang
	Duties []Duty
	// StandsIn are the homes of which she was told for somebody who is off, and
	// in whose role, while their cases last.
	StandsIn map[string]Role
}

// viewers are the roles that look, those first that see more.
var viewers = []Role{Chair, Deputy, CareTeam, Cadre, GridWorker, TownDesk, CountyDesk, Kin}

// Sees is the role in which a viewer may look at a home; "" is that she may not.
// above are the home's village and the units above it.
func (v *Viewer) Sees(home Household, above []Unit) Role {
	for _, role := range viewers {
		for _, d := range v.Duties {
			if d.Role != role {
				continue
			}
			switch {
			case role.OfHousehold() && d.HouseholdID == home.ID && home.ID != "",
				role.Level() == Cell && d.UnitID == home.CellID && home.CellID != "",
				role.Level() == Village && d.UnitID == home.VillageID && home.VillageID != "",
				(role.Level() == Town || role.Level() == County) &&
					slices.ContainsFunc(above, func(u Unit) bool { return u.ID == d.UnitID && u.Level == role.Level() }):
				return role
			}
		}
	}
	if role := v.StandsIn[home.ID]; slices.Contains(viewers, role) {
		return role
	}
	return ""
}
