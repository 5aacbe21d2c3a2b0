package contract

import (
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"weimang/ingest"
	"weimang/ingest/wirepb"
)

// longestPeriod bounds what one directive can silence.
const longestPeriod = 366 * 24 * time.Hour

// DecodeDirective reads one record of topic weimang.directives. Times are cut
// to whole seconds. Unknown members are dropped: there is no place for words,
// since a name may stand in them. Whether the household is watched and the time
// of issue lies in the future only others can say (see CheckIssued). The error
// is always an *ingest.Rejection.
func DecodeDirective(contentType string, value []byte) (ingest.Directive, error) {
	protobuf, rej := encodingOf(contentType, value)
	var d ingest.Directive
	if rej == nil && protobuf {
		d, rej = directiveFromProtobuf(value)
	} else if rej == nil {
		d, rej = directiveFromJSON(value)
	}
	if rej == nil {
		rej = checkDirective(&d)
	}
	if rej != nil {
		return ingest.Directive{}, rej
	}
	return d, nil
}

func directiveFromJSON(value []byte) (ingest.Directive, *ingest.Rejection) {
	f := parseFields(value)
	d := ingest.Directive{
		ID:          f.text("directive_id"),
		HouseholdID: f.text("household_id"),
		Kind:        ingest.DirectiveKind(f.text("kind")),
		From:        f.time("from").Truncate(time.Second),
		Until:       f.time("until").Truncate(time.Second),
		Outcome:     ingest.OutcomeCause(f.text("outcome")),
		IssuedAt:    f.time("issued_at").Truncate(time.Second),
	}
	return d, f.done()
}

func directiveFromProtobuf(value []byte) (ingest.Directive, *ingest.Rejection) {
	var m wirepb.Directive
	if err := proto.Unmarshal(value, &m); err != nil {
		return ingest.Directive{}, notProtobuf("weimang.v1.Directive")
	}
	d := ingest.Directive{
		ID: m.GetDirectiveId(), HouseholdID: m.GetHouseholdId(), Kind: ingest.DirectiveKind(m.GetKind()), Outcome: ingest.OutcomeCause(m.GetOutcome()),
	}
	for _, at := range []struct {
		field   string
		seconds int64
		to      *time.Time
	}{{"from", m.GetFrom(), &d.From}, {"until", m.GetUntil(), &d.Until}, {"issued_at", m.GetIssuedAt(), &d.IssuedAt}} {
		if at.seconds == 0 {
			continue
		}
		*at.to = time.Unix(at.seconds, 0).UTC()
		if rej := checkTime(at.field, *at.to); rej != nil {
			return d, rej
		}
	}
	return d, nil
}

// EncodeDirective writes a directive as JSON.
func EncodeDirective(d *ingest.Directive) []byte {
	out := appendString([]byte(`{"directive_id":`), d.ID)
	out = appendString(append(out, `,"household_id":`...), d.HouseholdID)
	out = appendString(append(out, `,"kind":`...), string(d.Kind))
	if !d.From.IsZero() {
		out = appendTime(append(out, `,"from":`...), d.From)
	}
	if !d.Until.IsZero() {
		out = appendTime(append(out, `,"until":`...), d.Until)
	}
	if d.Outcome != "" {
		out = appendString(append(out, `,"outcome":`...), string(d.Outcome))
	}
	return append(appendTime(append(out, `,"issued_at":`...), d.IssuedAt), '}')
}

// EncodeDirectiveProtobuf writes a directive as the message weimang.v1.Directive.
func EncodeDirectiveProtobuf(d *ingest.Directive) []byte {
	log := directiveToLog(d)
	out, _ := deterministic.Marshal(&wirepb.Directive{ // cannot fail: no required fields, ids are ASCII
		DirectiveId: log.GetDirectiveId(), HouseholdId: log.GetHouseholdId(), Kind: log.GetKind(),
		From: log.GetFrom(), Until: log.GetUntil(), Outcome: log.GetOutcome(), IssuedAt: log.GetIssuedAt(),
	})
	return out
}

// CheckIssued refuses a directive that was said after the clock plus skew: until
// then whatever is said to change it would count as older. The error is an
// *ingest.Rejection.
func CheckIssued(d *ingest.Directive, clock time.Time, l Limits) error {
	if d.IssuedAt.After(clock.Add(l.Skew)) {
		return ingest.Reject(ingest.Future, "issued_at", "it was said at %s, but it is %s now; check the offset and the sender's clock",
			stamp(d.IssuedAt), stamp(clock))
	}
	return nil
}

func checkDirective(d *ingest.Directive) *ingest.Rejection {
	for _, id := range []struct{ field, value, why string }{
		{"directive_id", d.ID, "required: what is said later to change it carries the same id"},
		{"household_id", d.HouseholdID, "required: of whom it is said, by the id of the list of households"},
	} {
		if id.value == "" {
			return ingest.Reject(ingest.BadField, id.field, "%s", id.why)
		}
		if rej := checkID(id.field, id.value); rej != nil {
			return rej
		}
	}
	if d.IssuedAt.IsZero() {
		return ingest.Reject(ingest.BadTime, "issued_at", "required: when it was said, with offset, such as 2026-07-12T14:00:00+08:00")
	}
	switch d.Kind {
	case ingest.Away, ingest.Mute:
		return checkPeriod(d)
	case ingest.Outcome:
		if !slices.Contains(ingest.OutcomeCauses, d.Outcome) {
			return ingest.Reject(ingest.BadField, "outcome", "required of an outcome: one of %v", ingest.OutcomeCauses)
		}
		if !d.From.IsZero() || !d.Until.IsZero() {
			return ingest.Reject(ingest.BadField, "from", "an outcome has no period, only issued_at; an absence is a directive of its own, kind away")
		}
		return nil
	case ingest.ConsentWithdrawn, ingest.ConsentGiven:
		if !d.From.IsZero() || !d.Until.IsZero() || d.Outcome != "" {
			return ingest.Reject(ingest.BadField, "kind", "%s holds from when it is said, until the other is said: it has neither period nor outcome", d.Kind)
		}
		return nil
	default:
		return ingest.Reject(ingest.BadField, "kind", "required: one of %v", ingest.DirectiveKinds)
	}
}

func checkPeriod(d *ingest.Directive) *ingest.Rejection {
	switch {
	case d.Outcome != "":
		return ingest.Reject(ingest.BadField, "outcome", "belongs to kind outcome")
	case d.From.IsZero():
		return ingest.Reject(ingest.BadTime, "from", "required of kind %s: since when, or from when on, with offset", d.Kind)
	case d.Until.IsZero() && d.Kind == ingest.Mute:
		return ingest.Reject(ingest.BadTime, "until", "required of kind mute: a home that is never told of again would be forgotten")
	case d.Until.Sub(d.From) > longestPeriod:
		return ingest.Reject(ingest.BadTime, "until", "is more than a year after from; say it again when it is due")
	}
	return nil
}

func directiveToLog(d *ingest.Directive) *wirepb.StreamDirective {
	out := &wirepb.StreamDirective{
		DirectiveId: d.ID, HouseholdId: d.HouseholdID, Kind: string(d.Kind), Outcome: string(d.Outcome), IssuedAt: d.IssuedAt.Unix(),
	}
	if !d.From.IsZero() {
		out.From = d.From.Unix()
	}
	if !d.Until.IsZero() {
		out.Until = d.Until.Unix()
	}
	return out
}

func directiveFromLog(m *wirepb.StreamDirective) *ingest.Directive {
	d := &ingest.Directive{
		ID: m.GetDirectiveId(), HouseholdID: m.GetHouseholdId(), Kind: ingest.DirectiveKind(m.GetKind()),
		Outcome: ingest.OutcomeCause(m.GetOutcome()), IssuedAt: time.Unix(m.GetIssuedAt(), 0).UTC(),
	}
	if m.GetFrom() != 0 {
		d.From = time.Unix(m.GetFrom(), 0).UTC()
	}
	if m.GetUntil() != 0 {
		d.Until = time.Unix(m.GetUntil(), 0).UTC()
	}
	return d
}
