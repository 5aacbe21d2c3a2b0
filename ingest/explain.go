package ingest

// Explanation is what can be said of a reason without the record: for the
// integrator who sends, and for the operator who may replay.
type Explanation struct {
	Means  string // what is wrong
	Remedy string // what the sender does about it
	// Replay says when the same bytes will be taken. "" is never, as long as
	// the program is the same: the sender has to send them mended.
	Replay string
}

// Explain returns the explanation of a reason; of one outside the closed set
// only that it is unknown.
func (r Reason) Explain() Explanation {
	if e, ok := explanations[r]; ok {
		return e
	}
	return Explanation{
		Means:  "a reason that this version does not know",
		Remedy: "look at it with the version that wrote it",
	}
}

// explanations are also the table in deploy/docs/integrators.md; a test
// compares them.
var explanations = map[Reason]Explanation{
	NotJSON: {
		Means:  "not one JSON object in UTF-8, or something after it",
		Remedy: "one object a record; no array of records, no GBK",
	},
	NotProtobuf: {
		Means:  "the bytes are not the announced message",
		Remedy: "`weimang.v1.Reading`, `.Incident` or `.Directive`, one a record; check the topic",
	},
	UnknownContent: {
		Means:  "header `content-type` is neither JSON nor Protobuf",
		Remedy: "set `application/json` or `application/x-protobuf`, or leave it out for JSON",
	},
	BadField: {
		Means:  "wrong type, or a value that the field cannot have",
		Remedy: "a number without quotes, an id without spaces, a known word; `field` says where",
	},
	NoMeter: {
		Means:  "`meter_id` is absent or empty",
		Remedy: "send the utility's number",
	},
	BadTime: {
		Means:  "absent, without offset, not the start of an interval, or outside 1970 to 9999",
		Remedy: "RFC 3339 with offset, the interval's start",
	},
	BadInterval: {
		Means:  "not 900, 1800 or 3600",
		Remedy: "these three, as a number of seconds",
	},
	NoEnergy: {
		Means:  "neither `kwh` nor `register_kwh`, or both, or an empty array",
		Remedy: "one of them; `null` for a missing value",
	},
	Negative: {
		Means:  "a value below zero",
		Remedy: "what the home drew from the grid; feed-in does not belong here",
	},
	Absurd: {
		Means:  "a mean of more than 60 kW (the site's `feed.max_kw`), or a register above 4,294,967 kWh",
		Remedy: "kWh, not Wh; energy of the interval, not the register",
		Replay: "after `feed.max_kw` was raised, if the value is true",
	},
	NotANumber: {
		Means:  "NaN or Infinity, bare or in quotes",
		Remedy: "`null`",
	},
	Future: {
		Means:  "ends, or was said, more than 15 min after the receiver's clock",
		Remedy: "`ts` is the start; check offset and clock",
		Replay: "when its time has come, if `ts` is true",
	},
	TooLate: {
		Means:  "ends earlier than usual delay plus 96 h before the receiver's clock",
		Remedy: "send sooner, or agree on a longer usual delay",
		Replay: "after `feed.usual_delay` or `feed.window` was raised enough",
	},
	TooLarge: {
		Means:  "more than 1 MiB, or more than a week in a block",
		Remedy: "a record a day",
	},
	NoIncident: {
		Means:  "an incident without `incident_id`",
		Remedy: "the same id at each change of one incident",
	},
	NoScope: {
		Means:  "an incident that concerns nobody",
		Remedy: "at least one id in `scope`",
	},
	UnknownHousehold: {
		Means:  "a directive about a household that is not in the roster, or not watched any more",
		Remedy: "the id of the list of households, not a meter's; send it again once the household is watched",
		Replay: "once the household is in the roster",
	},
	UnknownMeter: {
		Means:  "the meter is not in the roster at that time (only where the site sets `roster.keep_unknown`)",
		Remedy: "nothing, if the number is right; ask the operator to put it into the roster",
		Replay: "once the meter is in the roster, within usual delay plus 96 h of the reading",
	},
}
