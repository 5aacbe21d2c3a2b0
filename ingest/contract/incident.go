package contract

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"weimang/ingest"
	"weimang/ingest/wirepb"
)

// DecodeIncident reads one record of topic weimang.incidents. Unknown members
// of a JSON report are kept in Extra, those of its scope as Extra["scope"];
// unknown fields of a Protobuf report have no name to keep them by and are
// dropped. Times are cut to whole seconds. The error is always an
// *ingest.Rejection.
func DecodeIncident(contentType string, value []byte) (ingest.Report, error) {
	protobuf, rej := encodingOf(contentType, value)
	var r ingest.Report
	if rej == nil && protobuf {
		r, rej = incidentFromProtobuf(value)
	} else if rej == nil {
		r, rej = incidentFromJSON(value)
	}
	if rej == nil {
		rej = checkReport(&r)
	}
	if rej != nil {
		return ingest.Report{}, rej
	}
	return r, nil
}

func incidentFromJSON(value []byte) (ingest.Report, *ingest.Rejection) {
	f := parseFields(value)
	r := ingest.Report{
		Incident: ingest.Incident{
			ID:     f.text("incident_id"),
			Source: ingest.Source(f.text("source")),
			Class:  f.text("class"),
			State:  ingest.IncidentState(f.text("state")),
			Level:  f.text("level"),
			From:   f.time("from").Truncate(time.Second),
			Until:  f.time("until").Truncate(time.Second),
		},
		Text:         f.text("text"),
		ReporterRole: f.text("reporter_role"),
		PublishedAt:  f.time("published_at").Truncate(time.Second),
	}
	var scopeExtra json.RawMessage
	r.Scope, scopeExtra = f.scope()
	r.Extra = unknown(f.raw, "incident_id", "source", "class", "state", "level", "scope", "from", "until", "text", "reporter_role", "published_at")
	if scopeExtra != nil {
		if r.Extra == nil {
			r.Extra = make(map[string]json.RawMessage, 1)
		}
		r.Extra["scope"] = scopeExtra
	}
	return r, f.done()
}

// scope reads the scope and, as a JSON object, what it holds besides.
func (f *fields) scope() (ingest.Scope, json.RawMessage) {
	if f.rej != nil || !f.has("scope") {
		return ingest.Scope{}, nil
	}
	if f.raw["scope"][0] != '{' {
		f.reject(ingest.BadField, "scope", "must be an object with households, areas, grid_cells or villages")
		return ingest.Scope{}, nil
	}
	sub := parseFields(f.raw["scope"])
	s := ingest.Scope{
		Households: sub.ids("households"),
		Areas:      sub.ids("areas"),
		GridCells:  sub.ids("grid_cells"),
		Villages:   sub.ids("villages"),
	}
	if sub.rej != nil {
		sub.rej.Field = "scope." + sub.rej.Field
		f.rej = sub.rej
		return s, nil
	}
	extra := unknown(sub.raw, "households", "areas", "grid_cells", "villages")
	if extra == nil {
		return s, nil
	}
	return s, append(appendMembers([]byte{'{'}, extra, nil), '}')
}

// ids returns an array of identifiers, nil when it is absent, null or empty.
func (f *fields) ids(name string) []string {
	if f.rej != nil || !f.has(name) {
		return nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(f.raw[name], &list); err != nil {
		f.reject(ingest.BadField, name, "must be an array of ids")
		return nil
	}
	var ids []string
	for i, raw := range list {
		id, ok := unquote(raw)
		if !ok {
			f.reject(ingest.BadField, indexed(name, i), "must be a string, in quotes")
			return nil
		}
		ids = append(ids, id)
	}
	return ids
}

// unknown returns the members that are not named, nil when there are none.
func unknown(raw map[string]json.RawMessage, known ...string) map[string]json.RawMessage {
	var extra map[string]json.RawMessage
	for name, value := range raw {
		if slices.Contains(known, name) {
			continue
		}
		if extra == nil {
			extra = make(map[string]json.RawMessage)
		}
		extra[name] = value
	}
	return extra
}

func incidentFromProtobuf(value []byte) (ingest.Report, *ingest.Rejection) {
	var m wirepb.Incident
	if err := proto.Unmarshal(value, &m); err != nil {
		return ingest.Report{}, notProtobuf("weimang.v1.Incident")
	}
	r := ingest.Report{
		Incident: ingest.Incident{
			ID:     m.GetIncidentId(),
			Source: ingest.Source(m.GetSource()),
			Class:  m.GetClass(),
			State:  ingest.IncidentState(m.GetState()),
			Level:  m.GetLevel(),
			Scope: ingest.Scope{
				Households: m.GetScope().GetHouseholds(),
				Areas:      m.GetScope().GetAreas(),
				GridCells:  m.GetScope().GetGridCells(),
				Villages:   m.GetScope().GetVillages(),
			},
		},
		Text:         m.GetText(),
		ReporterRole: m.GetReporterRole(),
	}
	if m.GetPublishedAt() != 0 {
		r.PublishedAt = time.Unix(m.GetPublishedAt(), 0).UTC()
		if rej := checkTime("published_at", r.PublishedAt); rej != nil {
			return r, rej
		}
	}
	if m.GetFrom() != 0 {
		r.From = time.Unix(m.GetFrom(), 0).UTC()
		if rej := checkTime("from", r.From); rej != nil {
			return r, rej
		}
	}
	if m.GetUntil() != 0 {
		r.Until = time.Unix(m.GetUntil(), 0).UTC()
		if rej := checkTime("until", r.Until); rej != nil {
			return r, rej
		}
	}
	return r, nil
}

func checkReport(r *ingest.Report) *ingest.Rejection {
	if r.ID == "" {
		return ingest.Reject(ingest.NoIncident, "incident_id", "required: later reports on the same incident carry the same id")
	}
	if rej := checkID("incident_id", r.ID); rej != nil {
		return rej
	}
	switch r.Source {
	case ingest.PowerGrid, ingest.SocialGrid:
	default:
		return ingest.Reject(ingest.BadField, "source", "required: %s or %s", ingest.PowerGrid, ingest.SocialGrid)
	}
	if !validWord(r.Class) {
		return ingest.Reject(ingest.BadField, "class",
			"required: 1 to %d letters, digits or . _ : / and - of any class your city has, such as outage; text belongs in text", longestID)
	}
	switch r.State {
	case ingest.Reported, ingest.Accepted, ingest.Assigned, ingest.Handled, ingest.Closed, ingest.Withdrawn:
	default:
		return ingest.Reject(ingest.BadField, "state", "required: reported, accepted, assigned, handled, closed or withdrawn")
	}
	if r.Level != "" && !validWord(r.Level) {
		return ingest.Reject(ingest.BadField, "level", "has 1 to %d letters, digits or . _ : / and -; text belongs in text", longestID)
	}
	if utf8.RuneCountInString(r.ReporterRole) > longestID {
		return ingest.Reject(ingest.BadField, "reporter_role", "has at most %d characters; a role, not a report", longestID)
	}
	if r.From.IsZero() {
		return ingest.Reject(ingest.BadTime, "from", "required: since when, or from when on, with offset, such as 2026-07-12T14:00:00+08:00")
	}
	if !r.Until.IsZero() && r.Until.Before(r.From) {
		return ingest.Reject(ingest.BadTime, "until", "%s is before from, %s; leave it out while the end is open", stamp(r.Until), stamp(r.From))
	}
	return checkScope(&r.Scope)
}

func checkScope(s *ingest.Scope) *ingest.Rejection {
	some := false
	for _, list := range []struct {
		name string
		ids  []string
	}{{"households", s.Households}, {"areas", s.Areas}, {"grid_cells", s.GridCells}, {"villages", s.Villages}} {
		for i, id := range list.ids {
			if rej := checkID("", id); rej != nil {
				rej.Field = indexed("scope."+list.name, i)
				return rej
			}
			some = true
		}
	}
	if !some {
		return ingest.Reject(ingest.NoScope, "scope", "required: at least one id in households, areas, grid_cells or villages")
	}
	return nil
}

// validWord reports whether s can be a class or a level: the city's own word,
// in any script, but not a sentence.
func validWord(s string) bool {
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '.' && r != '_' && r != ':' && r != '/' && r != '-' {
			return false
		}
	}
	return s != "" && utf8.RuneCountInString(s) <= longestID
}

// EncodeReport writes a report as JSON, with its unknown members as they came.
func EncodeReport(r *ingest.Report) []byte {
	out := appendString([]byte(`{"incident_id":`), r.ID)
	out = appendString(append(out, `,"source":`...), string(r.Source))
	out = appendString(append(out, `,"class":`...), r.Class)
	out = appendString(append(out, `,"state":`...), string(r.State))
	if r.Level != "" {
		out = appendString(append(out, `,"level":`...), r.Level)
	}
	out = appendScope(append(out, `,"scope":`...), &r.Scope, r.Extra["scope"])
	out = appendTime(append(out, `,"from":`...), r.From)
	if !r.Until.IsZero() {
		out = appendTime(append(out, `,"until":`...), r.Until)
	}
	if r.Text != "" {
		out = appendString(append(out, `,"text":`...), r.Text)
	}
	if r.ReporterRole != "" {
		out = appendString(append(out, `,"reporter_role":`...), r.ReporterRole)
	}
	if !r.PublishedAt.IsZero() {
		out = appendTime(append(out, `,"published_at":`...), r.PublishedAt)
	}
	return append(appendMembers(out, r.Extra, []string{"scope"}), '}')
}

func appendScope(out []byte, s *ingest.Scope, extra json.RawMessage) []byte {
	out = append(out, '{')
	for _, list := range []struct {
		name string
		ids  []string
	}{{"households", s.Households}, {"areas", s.Areas}, {"grid_cells", s.GridCells}, {"villages", s.Villages}} {
		if len(list.ids) == 0 {
			continue
		}
		ids, _ := json.Marshal(list.ids) // of strings, this cannot fail
		out = appendMember(out, list.name, ids)
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(extra, &members) == nil {
		out = appendMembers(out, members, nil)
	}
	return append(out, '}')
}

// appendMembers adds members in order of their names, but for those left out
// and for what is not JSON.
func appendMembers(out []byte, members map[string]json.RawMessage, except []string) []byte {
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if !slices.Contains(except, name) && json.Valid(members[name]) {
			out = appendMember(out, name, members[name])
		}
	}
	return out
}

func appendMember(out []byte, name string, value []byte) []byte {
	if out[len(out)-1] != '{' {
		out = append(out, ',')
	}
	return append(append(appendString(out, name), ':'), value...)
}
