package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"weimang/ingest"
	"weimang/ingest/wirepb"
)

// EncodeHomes is the record of topic weimang.roster for one meter: its home as
// a JSON object, or an array of them where it has had, or will have, several.
func EncodeHomes(homes []ingest.Home) ([]byte, error) {
	if len(homes) == 1 {
		return json.Marshal(homes[0])
	}
	return json.Marshal(homes)
}

// rosterHome is a home as others may write it, too: with dates.
type rosterHome struct {
	ingest.Home
	From  string `json:"from"`
	Until string `json:"until"`
}

// DecodeHomes reads a record of topic weimang.roster, which has the meter for
// its key. The homes come back by From. An error repeats nothing of the record:
// somebody may have written a name into it.
func DecodeHomes(meterID string, value []byte) ([]ingest.Home, error) {
	var raw []rosterHome
	if err := json.Unmarshal(value, &raw); err != nil {
		raw = make([]rosterHome, 1)
		if json.Unmarshal(value, &raw[0]) != nil {
			return nil, errors.New("neither a home nor an array of homes")
		}
	}
	if len(raw) == 0 {
		return nil, errors.New("no home; a meter is taken off by a record without a value")
	}
	homes := make([]ingest.Home, 0, len(raw))
	for i := range raw {
		h := raw[i].Home
		var err error
		if h.From, err = ingest.RosterTime(raw[i].From, h.Zone); err != nil {
			return nil, fmt.Errorf("home %d: from: %w", i+1, err)
		}
		if h.Until, err = ingest.RosterTime(raw[i].Until, h.Zone); err != nil {
			return nil, fmt.Errorf("home %d: until: %w", i+1, err)
		}
		switch {
		case h.MeterID != meterID || meterID == "":
			return nil, fmt.Errorf("home %d: meter_id is not the record's key", i+1)
		case h.HouseholdID == "":
			return nil, fmt.Errorf("home %d: no household_id", i+1)
		case !h.Until.IsZero() && !h.Until.After(h.From):
			return nil, fmt.Errorf("home %d: until is not at least an hour after from", i+1)
		}
		homes = append(homes, h)
	}
	slices.SortFunc(homes, func(x, y ingest.Home) int { return x.From.Compare(y.From) })
	for i := range homes[1:] {
		if homes[i].Overlaps(&homes[i+1]) {
			return nil, errors.New("two homes of the meter share some time")
		}
	}
	return homes, nil
}

func residenceToLog(r *ingest.Residence) *wirepb.StreamResidence {
	out := &wirepb.StreamResidence{HouseholdId: r.HouseholdID}
	for _, s := range r.Stays {
		out.Stays = append(out.Stays, &wirepb.StreamStay{
			MeterId: s.MeterID, Zone: s.Zone, From: bound(s.From), Until: bound(s.Until), To: s.To,
		})
	}
	return out
}

func residenceFromLog(m *wirepb.StreamResidence) *ingest.Residence {
	r := &ingest.Residence{HouseholdID: m.GetHouseholdId()}
	for _, s := range m.GetStays() {
		r.Stays = append(r.Stays, ingest.Stay{
			MeterID: s.GetMeterId(), Zone: s.GetZone(), From: unbound(s.GetFrom()), Until: unbound(s.GetUntil()), To: s.GetTo(),
		})
	}
	return r
}

// bound writes a time, 0 for the zero time.
func bound(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func unbound(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

func handoverToLog(h *ingest.Handover) *wirepb.StreamHandover {
	return &wirepb.StreamHandover{
		HouseholdId: h.HouseholdID, From: h.From, At: h.At.Unix(),
		Version: uint32(h.Version), //nolint:gosec // counts up from one
		State:   h.State,
	}
}

func handoverFromLog(m *wirepb.StreamHandover) *ingest.Handover {
	return &ingest.Handover{
		HouseholdID: m.GetHouseholdId(), From: m.GetFrom(), At: time.Unix(m.GetAt(), 0).UTC(),
		Version: int(m.GetVersion()), State: m.GetState(),
	}
}
