package deadletters

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/wirepb"
)

// Filter selects letters; what is empty selects all.
type Filter struct {
	Places  []Place
	Reasons []ingest.Reason
	Topics  []string // that the records came from
	// Subjects are ids of meters and households: one of them must stand in
	// the record, see Subjects.
	Subjects []string
	From, To time.Time // refused in [From, To)
}

// Match reports whether a letter is selected.
func (f *Filter) Match(l *Letter) bool {
	switch {
	case len(f.Places) > 0 && !slices.Contains(f.Places, l.Place),
		len(f.Reasons) > 0 && !slices.Contains(f.Reasons, l.Reason),
		len(f.Topics) > 0 && !slices.Contains(f.Topics, l.Topic),
		!f.From.IsZero() && l.Refused.Before(f.From),
		!f.To.IsZero() && !l.Refused.Before(f.To):
		return false
	case len(f.Subjects) > 0:
		return slices.ContainsFunc(Subjects(l.DeadLetter), func(id string) bool { return slices.Contains(f.Subjects, id) })
	}
	return true
}

// Subjects lists the ids of meters and households that a refused record names,
// as far as it can be read; its key counts, since senders may key by meter.
func Subjects(d *contract.DeadLetter) (ids []string) {
	add := func(more ...string) {
		for _, id := range more {
			if contract.ValidID(id) && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	switch {
	case d.Topic == ingest.TopicInputs:
		entries, _ := contract.DecodeInputs(d.Value)
		for i := range entries {
			add(inEntry(&entries[i])...)
		}
	case d.ContentType == contract.Protobuf && d.Topic == ingest.TopicReadings:
		var r wirepb.Reading
		if proto.Unmarshal(d.Value, &r) == nil {
			add(r.GetMeterId())
		}
	case d.ContentType == contract.Protobuf && d.Topic == ingest.TopicIncidents:
		var in wirepb.Incident
		if proto.Unmarshal(d.Value, &in) == nil {
			add(in.GetScope().GetHouseholds()...)
		}
	case d.ContentType == contract.Protobuf && d.Topic == ingest.TopicDirectives:
		var said wirepb.Directive
		if proto.Unmarshal(d.Value, &said) == nil {
			add(said.GetHouseholdId())
		}
	default:
		add(inJSON(d.Value)...)
	}
	if d.Topic == ingest.TopicReadings || d.Topic == ingest.TopicHistory {
		add(string(d.Key))
	}
	return ids
}

func inEntry(e *ingest.Input) []string {
	switch {
	case e.Readings != nil:
		return []string{e.Readings.MeterID, e.Readings.HouseholdID}
	case e.Incident != nil:
		return e.Incident.Scope.Households
	case e.Directive != nil:
		return []string{e.Directive.HouseholdID}
	}
	return nil
}

// named finds ids even in what is not JSON any more.
var named = regexp.MustCompile(`"(?:meter_id|household_id)"\s*:\s*"([^"]{1,64})"`)

func inJSON(value []byte) (ids []string) {
	for _, m := range named.FindAllSubmatch(value, 8) {
		ids = append(ids, string(m[1]))
	}
	if !bytes.Contains(value, []byte(`"scope"`)) {
		return ids
	}
	var report struct {
		Scope struct {
			Households []string `json:"households"`
		} `json:"scope"`
	}
	if json.Unmarshal(value, &report) == nil {
		ids = append(ids, report.Scope.Households...)
	}
	return ids
}
