package message

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"weimang/alerts"
	"weimang/alerts/roster"
	"weimang/detectors"
)

// shortest is what one SMS holds, in characters of UCS-2.
const shortest = 70

// short is the shape of the file of templates for SMS.
type short struct {
	Limits    map[string]int                                `yaml:"limits"`   // characters of each variable
	Examples  map[string]string                             `yaml:"examples"` // for whoever approves the templates
	Reply     string                                        `yaml:"reply"`
	Templates map[string]templateText                       `yaml:"templates"`
	Kinds     map[detectors.Kind]string                     `yaml:"kinds"`
	KinKinds  map[detectors.Kind]string                     `yaml:"kin-kinds"`
	Steps     map[string]string                             `yaml:"steps"` // first step, by severity
	StepsFor  map[detectors.Kind]string                     `yaml:"steps-for"`
	Ended     map[detectors.Cause]string                    `yaml:"ended"`
	EndedFor  map[detectors.Kind]map[detectors.Cause]string `yaml:"ended-for"`
	Help      string                                        `yaml:"help"` // the resident has asked for it
	CalledOff string                                        `yaml:"called-off"`
	Settled   string                                        `yaml:"settled"`
	Well      string                                        `yaml:"well"`
	InHand    string                                        `yaml:"in-hand"`
	Held      string                                        `yaml:"held"` // {role}: who sees to it
	KinBack   string                                        `yaml:"kin-back"`
	KinRest   string                                        `yaml:"kin-rest"`
	Found     map[alerts.Outcome]string                     `yaml:"found"`
	Looked    string                                        `yaml:"looked"`
	Answers   map[audience]map[alerts.Action]string         `yaml:"answers"`
	Between   []string                                      `yaml:"between"`   // answers: the first with which most fit
	SomeHome  string                                        `yaml:"some-home"` // to whom the label is not told
	Village   string                                        `yaml:"village"`   // between village and home
	AndMore   string                                        `yaml:"and-more"`  // homes of an area: {all}, {rest}

	templates map[string]smsTemplate
}

type templateText struct {
	Text     string `yaml:"text"`
	Answered bool   `yaml:"answered"`
}

// Names of the templates, as configuration maps them to the vendors' codes. A
// template that can be answered has a twin without its answers.
const (
	smsAlert          = "alert"
	smsTakeOver       = "take-over"
	smsHelped         = "helped"
	smsRemind         = "remind"
	smsOver           = "over"
	smsAsk            = "ask"
	smsFollowUp       = "follow-up"
	smsNobody         = "nobody"
	smsBundle         = "bundle"
	smsBundleOver     = "bundle-over"
	smsDigest         = "digest"
	smsKin            = "kin"
	smsKinHelped      = "kin-helped"
	smsKinAsk         = "kin-ask"
	smsKinFollowUp    = "kin-follow-up"
	smsKinOver        = "kin-over"
	smsResident       = "resident"
	smsResidentHelped = "resident-helped"
	smsResidentOver   = "resident-over"

	plain = "-plain" // suffix of the twin
)

var smsNames = []string{
	smsAlert, smsTakeOver, smsHelped, smsRemind, smsOver, smsAsk, smsFollowUp, smsNobody, smsBundle, smsBundleOver, smsDigest,
	smsKin, smsKinHelped, smsKinAsk, smsKinFollowUp, smsKinOver, smsResident, smsResidentHelped, smsResidentOver,
}

// Short implements alerts.Wording.
func (c *Catalogue) Short(lang roster.Lang, n alerts.Notice) (alerts.Short, error) {
	x, err := c.facts(lang, n)
	if err != nil {
		return alerts.Short{}, err
	}
	return x.l.short.fill(x.smsName(), x.replies(), x.variable)
}

// ShortBundle implements alerts.Wording: how many homes, and the gravest. No
// answer is offered: a digit cannot say which home it means.
func (c *Catalogue) ShortBundle(lang roster.Lang, ns []alerts.Notice, digest bool) (alerts.Short, error) {
	switch {
	case len(ns) == 0:
		return alerts.Short{}, fmt.Errorf("nothing to word") // no phone rings for that
	case len(ns) == 1 && !digest:
		return c.Short(lang, ns[0])
	}
	b, err := c.bundle(lang, ns)
	if err != nil {
		return alerts.Short{}, err
	}
	name := smsBundle
	switch first := b.all[0]; {
	case b.audience() != official:
		return b.l.short.fill(first.smsName(), replies{}, first.variable)
	case digest:
		name = smsDigest
	case first.past():
		name = smsBundleOver
	}
	return b.l.short.fill(name, replies{}, b.variable)
}

// smsName is the template for a notice.
func (x *facts) smsName() string {
	why := purpose(&x.n)
	helped := x.asks() && why != alerts.ToWarn
	over := why == alerts.ToEnd || why == alerts.ToRelease
	switch to := audienceOf(x.n.Role); {
	case to == resident && helped:
		return smsResidentHelped
	case to == resident && over:
		return smsResidentOver
	case to == resident:
		return smsResident
	case to == kin && helped:
		return smsKinHelped
	case to == kin && over:
		return smsKinOver
	case to == kin && why == alerts.ToAsk:
		return smsKinAsk
	case to == kin && why == alerts.ToFollowUp:
		return smsKinFollowUp
	case to == kin:
		return smsKin
	case helped:
		return smsHelped
	case over:
		return smsOver
	}
	switch why {
	case alerts.ToTakeOver:
		if x.HasWaited() {
			return smsTakeOver
		}
		return smsAlert
	case alerts.ToRemind:
		return smsRemind
	case alerts.ToAsk:
		return smsAsk
	case alerts.ToFollowUp:
		return smsFollowUp
	case alerts.ToWarn:
		return smsNobody
	default:
		return smsAlert
	}
}

// variable is what stands in a variable of a template; "" is an error to who
// asks.
func (x *facts) variable(name string, limit int) (string, error) {
	s := &x.l.short
	switch name {
	case "who":
		return x.briefWho(limit)
	case "village":
		return cut(or(plainValue(x.Place()), x.l.people.Place), limit), nil
	case "since":
		t := x.begin()
		if t.IsZero() {
			return "", x.missing("onset")
		}
		return x.l.tell.brief(t.In(x.n.Zone), x.n.Now.In(x.n.Zone)), nil
	case "what":
		if x.asks() {
			return s.Help, nil
		}
		if audienceOf(x.n.Role) == kin {
			return x.name(s.KinKinds[x.f.Kind], "short name")
		}
		return x.name(s.Kinds[x.f.Kind], "short name")
	case "step":
		if x.asks() {
			return s.Steps[detectors.Red.String()], nil
		}
		return x.name(or(s.StepsFor[x.f.Kind], s.Steps[x.severity()]), "first step")
	case "waited":
		if !x.HasWaited() {
			return "", x.missing("time waited")
		}
		return x.l.tell.brieflyWaited(x.n.Waited), nil
	case "how":
		return x.how(), nil
	case "found":
		return or(s.Found[x.n.Outcome], s.Looked), nil
	default:
		return "", fmt.Errorf("no such variable %q", name)
	}
}

// briefWho is the label, or an area's first home and how many there are. For
// whom there are several villages, it begins with as much of the village as
// there is room for.
func (x *facts) briefWho(limit int) (string, error) {
	if x.f.HouseholdID == "" {
		if len(x.n.Homes) == 0 {
			return cut(or(plainValue(x.f.AreaID), x.l.short.SomeHome), limit), nil
		}
		var more string
		if all := len(x.n.Homes); all > 1 {
			more = strings.NewReplacer("{all}", strconv.Itoa(all), "{rest}", strconv.Itoa(all-1)).Replace(x.l.short.AndMore)
		}
		return cut(or(plainValue(x.n.Homes[0]), x.l.short.SomeHome), limit-units(more)) + more, nil
	}
	if x.n.Role == roster.Volunteer {
		return x.l.short.SomeHome, nil
	}
	label := cut(or(plainValue(x.n.Label), plainValue(x.f.HouseholdID)), limit)
	if label == "" {
		return x.l.short.SomeHome, nil
	}
	room := limit - units(label) - units(x.l.short.Village)
	if !x.village || !x.HasVillage() || room < 2 {
		return label, nil
	}
	return cut(plainValue(x.n.Village), room) + x.l.short.Village + label, nil
}

// how is how an alert stands that is over, or seen to.
func (x *facts) how() string {
	s := &x.l.short
	family := audienceOf(x.n.Role) == kin
	switch {
	case purpose(&x.n) == alerts.ToRelease && x.Well():
		return s.Well
	case purpose(&x.n) == alerts.ToRelease && x.HasOutcome() && !family:
		return s.Found[x.n.Outcome]
	case purpose(&x.n) == alerts.ToRelease && x.HasHolder() && !x.HasOutcome():
		return strings.ReplaceAll(s.Held, "{role}", x.l.answers.Roles[x.n.Holder])
	case purpose(&x.n) == alerts.ToRelease:
		return s.InHand
	case family && x.Back():
		return s.KinBack
	case family:
		return s.KinRest
	case x.f.State != detectors.Resolved:
		return s.Settled
	case x.f.Kind == detectors.Announced && x.f.Reason.Cause == detectors.CauseOver && x.CalledOff():
		return s.CalledOff
	}
	return cmp.Or(s.EndedFor[x.f.Kind][x.f.Reason.Cause], s.Ended[x.f.Reason.Cause], s.Settled)
}

// variable is what stands in a variable of a bundle's template: that of the
// gravest home, but for what it says of all.
func (b *bundle) variable(name string, limit int) (string, error) {
	switch name {
	case "village":
		return cut(or(plainValue(b.Place()), b.l.people.Place), limit), nil
	case "count":
		return b.Count(), nil
	}
	return b.all[0].variable(name, limit)
}

// replies are the answers that a template offers, and to whom.
type replies struct {
	to    audience
	given []alerts.Action
}

func (x *facts) replies() replies { return replies{to: audienceOf(x.n.Role), given: x.n.Answers} }

// reply is the word for an answer; "" for one that takes more than a digit.
func (s *short) reply(to audience, a alerts.Action) string {
	return or(s.Answers[to][a], s.Answers[official][a])
}

// offers: there is an answer that a digit can give.
func (s *short) offers(r replies) bool {
	return slices.ContainsFunc(r.given, func(a alerts.Action) bool { return s.reply(r.to, a) != "" })
}

// replies are the answers by their keys, as many as fit into limit: 1我去，2去不了.
func (s *short) replies(r replies, limit int) string {
	var best string
	most := 0
	for _, between := range s.Between {
		var line string
		n := 0
		for i, a := range r.given {
			word := s.reply(r.to, a)
			if word == "" {
				continue
			}
			word = strconv.Itoa(i+1) + word
			if n > 0 {
				word = between + word
			}
			if units(line+word) > limit {
				break
			}
			line += word
			n++
		}
		if n > most {
			best, most = line, n
		}
	}
	return best
}

// plainValue leaves out of a value what vendors do not take in a variable. It
// may leave nothing.
func plainValue(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || strings.ContainsRune(" ，,、：:-—（）()…·½", r) {
			return r
		}
		return -1
	}, s))
}
