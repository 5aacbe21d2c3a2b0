package message

import (
	"fmt"
	"strings"
	"time"

	"weimang/alerts"
	"weimang/alerts/roster"
	"weimang/detectors"
)

// facts are what templates may ask for. A fact that is not there is an error,
// so that no message goes out with a hole in it; templates ask Has… first.
type facts struct {
	n alerts.Notice
	f *detectors.Finding
	l *language
	p parts // what the finding itself says

	village bool // the village is told with the home: for whom there are several
}

func (x *facts) missing(what string) error {
	return fmt.Errorf("%s of %s, cause %s, is not known", what, x.f.Kind, x.f.Reason.Cause)
}

// Who is the household's label; for an area's notice, its homes. A volunteer
// is not told which home it is.
func (x *facts) Who() (string, error) {
	switch {
	case x.f.HouseholdID == "":
		return x.Homes()
	case x.n.Role == roster.Volunteer:
		return x.l.people.SomeHome, nil
	default:
		return x.in(x.l.tell.home(x.label())), nil
	}
}

func (x *facts) label() string {
	if x.n.Label == "" {
		return x.f.HouseholdID
	}
	return x.n.Label
}

// Homes is how a chair knows an area: by its first homes, or its id.
func (x *facts) Homes() (string, error) {
	if len(x.n.Homes) == 0 {
		if x.f.AreaID == "" {
			return "", x.missing("area")
		}
		return x.in(x.l.tell.area(x.f.AreaID)), nil
	}
	const shown = 3
	return x.in(x.l.tell.homes(x.n.Homes[:min(shown, len(x.n.Homes))], len(x.n.Homes))), nil
}

// in puts the village to a home or an area, for whom there are several.
func (x *facts) in(what string) string {
	if !x.village || x.n.Village == "" {
		return what
	}
	return x.l.tell.in(what, x.n.Village)
}

func (x *facts) HasVillage() bool { return x.n.Village != "" }

func (x *facts) Village() (string, error) {
	if x.n.Village == "" {
		return "", x.missing("village")
	}
	return x.n.Village, nil
}

// Title, What, Why and Do are what the finding says of itself.
func (x *facts) Title() (string, error) { return x.p.Title.write(x) }
func (x *facts) What() (string, error)  { return x.p.What.write(x) }
func (x *facts) Why() (string, error)   { return x.p.Why.write(x) }
func (x *facts) Do() (string, error)    { return x.p.Do.write(x) }

func (x *facts) Kind() (string, error)    { return x.name(x.l.Names.Kinds[x.f.Kind], "name") }
func (x *facts) Urgency() (string, error) { return x.name(x.l.Names.Urgency[x.severity()], "urgency") }
func (x *facts) Call() (string, error)    { return x.name(x.l.Call[x.severity()], "first step") }
func (x *facts) severity() string         { return x.f.Severity.String() }

func (x *facts) name(s, what string) (string, error) {
	if s == "" {
		return "", x.missing(what)
	}
	return s, nil
}

func (x *facts) Also() (string, error) {
	var names []string
	for _, k := range x.f.Reason.Also {
		s, err := x.name(x.l.Names.Kinds[k], "name of a further finding")
		if err != nil {
			return "", err
		}
		names = append(names, s)
	}
	return strings.Join(names, x.l.Names.List), nil
}

func (x *facts) Since() (string, error)     { return x.when(x.f.Onset, "onset") }
func (x *facts) At() (string, error)        { return x.when(x.f.At, "time") }
func (x *facts) DataUntil() (string, error) { return x.when(x.f.DataUntil, "age") }
func (x *facts) HasFrom() bool              { return !x.f.Reason.From.IsZero() }
func (x *facts) From() (string, error)      { return x.when(x.f.Reason.From, "beginning") }
func (x *facts) HasUntil() bool             { return !x.f.Reason.Until.IsZero() }
func (x *facts) Until() (string, error)     { return x.when(x.f.Reason.Until, "end") }

func (x *facts) when(t time.Time, what string) (string, error) {
	if t.IsZero() {
		return "", x.missing(what)
	}
	return x.l.tell.when(t.In(x.n.Zone), x.n.Now.In(x.n.Zone)), nil
}

// Visit: the first step may lead to the door.
func (x *facts) Visit() bool { return x.f.Severity > detectors.Blue }

// HasUse: there is a use to compare with the usual one.
func (x *facts) HasUse() bool { return x.f.Reason.Hours > 0 && x.f.Usual > 0 }

// Span is the hours that Value and Usual stand for.
func (x *facts) Span() (string, error) {
	if x.f.Reason.Hours <= 0 {
		return "", x.missing("span")
	}
	return x.l.tell.span(x.f.Reason.Hours), nil
}

func (x *facts) Value() string { return x.l.tell.energy(x.f.Value) }
func (x *facts) Usual() string { return x.l.tell.energy(x.f.Usual) }

// HasNeighbours: the neighbours use so much more than usual that it is worth
// saying how much.
func (x *facts) HasNeighbours() bool { return x.f.Reason.Neighbours >= someMore }

func (x *facts) Neighbours() (string, error) {
	if !x.HasNeighbours() {
		return "", x.missing("neighbours' use")
	}
	return x.l.tell.more(x.f.Reason.Neighbours), nil
}

// HasAround: it is known what the home's neighbours did.
func (x *facts) HasAround() bool { return x.f.Reason.Neighbours > 0 && !x.Area() }

// Around is what the neighbours did, beside their own usual.
func (x *facts) Around() (string, error) {
	if !x.HasAround() {
		return "", x.missing("neighbours' use")
	}
	return x.l.tell.around(x.f.Reason.Neighbours), nil
}

// Area: it is about an area, not about one home.
func (x *facts) Area() bool { return x.f.HouseholdID == "" }

// sure: how often it comes about by chance is known.
func (x *facts) sure() bool { return x.f.Reason.Rate > 0 }

// Rare and Often tell how much there is behind it without a claim that
// anything has happened: of rare events, too, most turn out harmless.
func (x *facts) Rare() bool  { return x.sure() && x.every() >= rareDays }
func (x *facts) Often() bool { return x.sure() && x.every() < oftenDays }

const rareDays, oftenDays = 150, 25

func (x *facts) every() float64 { return 1 / x.f.Reason.Rate }

// Every is how long, on average, a home in which nothing is wrong goes between
// two findings as strong as this one.
func (x *facts) Every() (string, error) {
	if !x.sure() {
		return "", x.missing("rate")
	}
	return x.l.tell.every(x.every()), nil
}

// HasCount: it is known how many homes are dark, or silent.
func (x *facts) HasCount() bool { return x.f.Reason.Homes > 0 && x.f.Reason.OfHomes > 0 }

// All: every home that reports is dark.
func (x *facts) All() bool { return x.HasCount() && x.f.Reason.Homes >= x.f.Reason.OfHomes }

// Only: it concerns the homes that are named, not all around them.
func (x *facts) Only() bool { return len(x.f.Households) > 0 }

// Changed: a planned outage has other times than those told before.
func (x *facts) Changed() bool { return x.f.State == detectors.Update && x.HasFrom() }

// CalledOff: a planned outage has ended before it began.
func (x *facts) CalledOff() bool { return x.HasFrom() && x.f.At.Before(x.f.Reason.From) }

func (x *facts) One() bool    { return x.f.Reason.Homes == 1 }
func (x *facts) Count() int   { return x.f.Reason.Homes }
func (x *facts) OfCount() int { return x.f.Reason.OfHomes }

// old: the data is so old that it must be said. That of a silent meter is
// what the message is about.
func (x *facts) old() bool {
	return !x.f.DataUntil.IsZero() && x.f.Age() >= oldData && x.f.Kind != detectors.SilentMeter
}
