package roster

// Rule is what can be wrong with a roster. The set is closed: Explain has its
// texts.
type Rule string

// Rules about what stands in a cell. A list that breaks one cannot be used.
const (
	CellEmpty         Rule = "cell-empty"
	CellID            Rule = "cell-id"
	CellPersonalID    Rule = "cell-personal-id"
	CellWord          Rule = "cell-word"
	CellDate          Rule = "cell-date"
	CellNumber        Rule = "cell-number"
	CellHours         Rule = "cell-hours"
	CellZone          Rule = "cell-zone"
	CellCharacters    Rule = "cell-characters"
	CellLong          Rule = "cell-long"
	CellDigitsLost    Rule = "cell-digits-lost"
	CellFormulaError  Rule = "cell-formula-error"
	CellFormulaEmpty  Rule = "cell-formula-empty"
	CellUnknownUnit   Rule = "cell-unknown-unit"
	RowConflict       Rule = "row-conflict"
	RowTwice          Rule = "row-twice"
	RowLong           Rule = "row-long"
	RowHidden         Rule = "row-hidden"
	ColumnMissing     Rule = "column-missing"
	ColumnTwice       Rule = "column-twice"
	ColumnUnknown     Rule = "column-unknown"
	SheetUnknown      Rule = "sheet-unknown"
	SheetTwice        Rule = "sheet-twice"
	SheetEmpty        Rule = "sheet-empty"
	FileEncoding      Rule = "file-encoding"
	FileSyntax        Rule = "file-syntax"
	UntilNotAfterFrom Rule = "until-not-after-from"
)

// Rules about the tree of units.
const (
	UnitUnknownParent Rule = "unit-unknown-parent"
	UnitCycle         Rule = "unit-cycle"
	UnitLevel         Rule = "unit-level"
	VillageNoChair    Rule = "village-without-chair"
	EscalationEnds    Rule = "escalation-ends"
)

// Rules about homes.
const (
	HomeUnknownVillage  Rule = "home-unknown-village"
	HomeNoVillage       Rule = "home-without-village"
	HomeNoMeter         Rule = "home-without-meter"
	HomeErased          Rule = "home-erased"
	MeterNoHome         Rule = "meter-without-home"
	MeterTwice          Rule = "meter-twice"
	LabelTwice          Rule = "label-twice"
	ConsentMissing      Rule = "consent-missing"
	ConsentExpired      Rule = "consent-expired"
	ScreeningIncomplete Rule = "screening-incomplete"
	ScreeningOrder      Rule = "screening-order"
	ScreeningRefused    Rule = "screening-refused"
	UnknownHousehold    Rule = "unknown-household"
	UnknownService      Rule = "unknown-service"
	UnknownUnit         Rule = "unknown-unit"
)

// Rules about people.
const (
	UnknownPerson         Rule = "unknown-person"
	PersonTwice           Rule = "person-twice"
	PersonNoDuty          Rule = "person-without-duty"
	DutyPlace             Rule = "duty-place"
	NumberImpossible      Rule = "number-impossible"
	NumberWithoutAreaCode Rule = "number-without-area-code"
	NumberShared          Rule = "number-shared"
	ContactWrong          Rule = "contact-wrong"
	ContactAged           Rule = "contact-aged"
	ChannelClosed         Rule = "channel-closed"
	ChairUnreachable      Rule = "chair-unreachable"
	StandInUnknown        Rule = "stand-in-unknown"
	StandInCircle         Rule = "stand-in-circle"
	StandInOff            Rule = "stand-in-off"
)

// Problem is something wrong with a roster. It repeats nothing that stands in
// a cell, since a name may have slipped into any.
type Problem struct {
	Rule   Rule
	At     Ref
	Column string // as the table of columns calls it; "" is the whole entry
	Also   []Ref  // other entries that have to do with it
}

// Explanation is what is said about a problem, in one language.
type Explanation struct {
	Text, Remedy string
}

// Grave reports whether a list with the problem cannot be used at all. The
// others are used, and want to be mended.
func (r Rule) Grave() bool { return explanations[r].grave }

// Explain is what is wrong and what to do about it.
func (r Rule) Explain(lang Lang) Explanation {
	if lang == Chinese {
		return explanations[r].zh
	}
	return explanations[r].en
}

type explanation struct {
	grave  bool
	en, zh Explanation
}
