// Package contract turns wire records into ingest.Block, ingest.Report and
// ingest.Directive and back, and refuses what cannot be used with a reason from a closed set, a
// place in the record and a sentence that says what to do about it. It also
// holds the contract in writing (AsyncAPI 3 and JSON Schema), the codec of an
// area's log (topic weimang.inputs) and the dead letter.
//
// A record is taken whole or not at all: one bad value refuses it. Refusals
// quote no text of the record, since a name may stand in any of its fields.
//
// It does not talk to Kafka, does not know the roster, and knows a clock only
// where one is handed in (CheckClock).
package contract

import _ "embed" // the contract in writing

// Content types of the topics weimang.readings, weimang.incidents and
// weimang.directives, as header content-type. A record without one is JSON.
const (
	JSON     = "application/json"
	Protobuf = "application/x-protobuf"
)

// ContentTypeHeader is the Kafka header that holds the content type.
const ContentTypeHeader = "content-type"

var (
	//go:embed reading.schema.json
	readingSchema string
	//go:embed incident.schema.json
	incidentSchema string
	//go:embed directive.schema.json
	directiveSchema string
	//go:embed asyncapi.yaml
	asyncAPI string
)

// ReadingSchema is the JSON Schema (draft 2020-12) of a record of topic
// weimang.readings. A few rules only the code can check; the schema's
// description names them.
func ReadingSchema() string { return readingSchema }

// IncidentSchema is the JSON Schema (draft 2020-12) of a record of topic
// weimang.incidents.
func IncidentSchema() string { return incidentSchema }

// DirectiveSchema is the JSON Schema (draft 2020-12) of a record of topic
// weimang.directives.
func DirectiveSchema() string { return directiveSchema }

// AsyncAPI is the AsyncAPI 3.0 document (YAML) of the three topics. It refers to
// reading.schema.json, incident.schema.json and directive.schema.json beside it.
func AsyncAPI() string { return asyncAPI }
