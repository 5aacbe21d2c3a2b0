package contract

import (
	"slices"
	"time"

	"weimang/ingest"
	"weimang/ingest/wirepb"
)

// longestPeriod bounds what one directive can silence.
const longestPeriod = 366 * 24 * time.Hour

// DecodeDirective reads a directive as JSON. Times are cut to whole seconds,
// unknown members are left out. The error is always an *ingest.Rejection.
func DecodeDirective(value []byte) (ingest.Directive, error) {
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
	rej := f.done()
	if rej == nil {
		rej = checkDirective(&d)
	}
	if rej != nil {
		return ingest.Directive{}, rej
	}
	return d, nil
}

func checkDirective(d *ingest.Directive) *ingest.Rejection {
	for _, id := range []struct{ field, value string }{{"directive_id", d.ID}, {"household_id", d.HouseholdID}} {
		if id.value == "" {
			return ingest.Reject(ingest.BadField, id.field, "required")
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
	default:
		return ingest.Reject(ingest.BadField, "kind", "required: %s, %s or %s", ingest.Away, ingest.Mute, ingest.Outcome)
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

func directiveToLog(d *ingest.Directive) *wirepb.Directive {
	out := &wirepb.Directive{
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

func directiveFromLog(m *wirepb.Directive) *ingest.Directive {
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
