package message

import (
	"weimang/alerts"
	"weimang/alerts/roster"
	"weimang/detectors"
)

// people is the shape of the file that says who is told what for.
type people struct {
	SomeHome string                   `yaml:"some-home"` // to whom the label is not told
	Elder    string                   `yaml:"elder"`     // to kin, without a name
	Place    string                   `yaml:"place"`     // a village without a name
	Official map[alerts.Purpose]parts `yaml:"official"`
	Kin      map[alerts.Purpose]parts `yaml:"kin"`
	Resident map[alerts.Purpose]parts `yaml:"resident"`
	Helped   map[audience]parts       `yaml:"helped"`   // instead, when the resident has asked for help
	Closed   parts                    `yaml:"closed"`   // an end that no finding tells
	Gentle   map[detectors.Kind]text  `yaml:"gentle"`   // a finding to kin
	KinCall  map[string]string        `yaml:"kin-call"` // first step of kin, by severity
	Notes    map[detectors.Kind]text  `yaml:"notes"`    // to the resident, where there is something to add
	StandsIn text                     `yaml:"stands-in"`
	Where    text                     `yaml:"where"`
	Choices  text                     `yaml:"choices"` // how the resident answers
	Bundle   bundles                  `yaml:"bundle"`
}

// audience is for whom a text is written. The set is closed.
type audience string

const (
	official audience = "official" // of village or state, and the operator
	kin      audience = "kin"
	resident audience = "resident"
)

func audienceOf(r roster.Role) audience {
	switch r {
	case roster.Resident:
		return resident
	case roster.Kin:
		return kin
	default:
		return official
	}
}

// purpose is what a notice is told for: where it does not say, its finding does.
func purpose(n *alerts.Notice) alerts.Purpose {
	switch {
	case n.Purpose != "" && n.Purpose != alerts.ToTell:
		return n.Purpose
	case n.Finding.State == detectors.Resolved:
		return alerts.ToEnd
	default:
		return alerts.ToTell
	}
}

// choose is the text for whom and what for. Kin and residents hear of less:
// what has no text of its own is told them as an alert.
func (p *people) choose(to audience, why alerts.Purpose) parts {
	own := map[audience]map[alerts.Purpose]parts{official: p.Official, kin: p.Kin, resident: p.Resident}[to]
	if chosen, ok := own[why]; ok {
		return chosen
	}
	return own[alerts.ToTell]
}

// asks: the resident has asked for help, and it is not settled.
func (x *facts) asks() bool {
	why := purpose(&x.n)
	return x.n.Helped && why != alerts.ToRelease && why != alerts.ToFollowUp
}

// outline is the title and the lines of a notice, in the order in which they
// are read.
func (l *language) outline(x *facts) (title text, lines []text) {
	to, why := audienceOf(x.n.Role), purpose(&x.n)
	p := l.people.choose(to, why)
	help := l.people.Helped[to]
	switch {
	case !x.asks():
		help = parts{}
	case to == resident:
		p = parts{Title: help.Title}
	case why == alerts.ToWarn:
		// That nobody answers stays the first thing to say to the operator.
	default:
		p.Title, p.Why, p.Do = help.Title, text{}, help.Do
		if to == kin && !tells(why) {
			p.What = text{} // it would console
		}
	}
	if to == resident {
		lines = []text{help.Lead, p.What, p.Why, p.Do, help.Do}
		if len(x.n.Answers) > 0 && help.Lead.Template == nil {
			lines = append(lines, l.people.Choices)
		}
		return p.Title, lines
	}
	if x.n.StandsIn != "" && to == official {
		lines = append(lines, l.people.StandsIn)
	}
	lines = append(lines, help.Lead, p.Lead, p.What)
	if to == official && (x.HasName() || x.HasAddress()) && why != alerts.ToRelease && why != alerts.ToEnd && why != alerts.ToAsk {
		lines = append(lines, l.people.Where)
	}
	lines = append(lines, p.Why, p.Do)
	if tells(why) && x.f.State != detectors.Resolved {
		lines = append(lines, l.extras(x, to)...)
	}
	if x.n.Fallback {
		lines = append(lines, l.Extra["fallback"])
	}
	return p.Title, lines
}

// tells reports whether somebody hears of the finding for the first time.
func tells(why alerts.Purpose) bool {
	return why == alerts.ToTell || why == alerts.ToTakeOver || why == alerts.ToWarn
}

// extras is what must be added to a finding. Kin are not told how sure it is:
// they call in any case.
func (l *language) extras(x *facts, to audience) []text {
	var out []text
	add := func(when bool, extra string) {
		if when {
			out = append(out, l.Extra[extra])
		}
	}
	add(x.sure() && to == official && !x.n.Helped, "sure")
	add(len(x.f.Reason.Also) > 0 && to == official, "also")
	add(x.f.Reason.Warmup && to == official, "warmup")
	add(x.old(), "old")
	return out
}
