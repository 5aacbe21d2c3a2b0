package ingest

// Topics of the system; stream.Config has a prefix for those that share a cluster.
const (
	TopicReadings    = "weimang.readings"    // wire contract, keyed as the sender likes
	TopicIncidents   = "weimang.incidents"   // wire contract
	TopicDirectives  = "weimang.directives"  // wire contract, keyed by household id
	TopicRoster      = "weimang.roster"      // compacted, keyed by meter id: Home as JSON
	TopicInputs      = "weimang.inputs"      // keyed by area id: the one log of an area
	TopicCheckpoints = "weimang.checkpoints" // compacted, keyed by area id
	TopicFindings    = "weimang.findings"    // keyed by area id
	TopicHistory     = "weimang.history"     // keyed by household id: use and usual band, for the page and the history store
	TopicAlerts      = "weimang.alerts"      // keyed by alert id: what became of a finding, for others
	TopicDeadLetters = "weimang.deadletters"
)

// FeedClockHeader carries the feed's clock (RFC 3339) on a record of a
// replayed feed. Ingest honours it only when its clock is the feed's.
const FeedClockHeader = "weimang-feed-clock"

// ArrivedHeader says on a record of weimang.inputs when the first of its
// readings came to weimang.readings: that record's Kafka time, unix
// milliseconds. It is for the time that a reading takes, and changes nothing.
const ArrivedHeader = "weimang-arrived"

// ReplayedFromHeader marks a record that was written back from the dead
// letters: the letter's place there, PARTITION:OFFSET. Each replay adds one,
// so a record that is refused again says how often it was tried.
const ReplayedFromHeader = "replayed_from"
