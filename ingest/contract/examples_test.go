package contract_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"weimang/ingest"
	"weimang/ingest/contract"
)

// The files of testdata/contract are named kind-good-what.json and
// kind-bad-reason-what.json. Code and schema must agree on each.

// codeOnly are the bad examples that a JSON Schema cannot tell from good ones.
// The schemas' descriptions name these rules.
var codeOnly = map[string]string{
	"reading-bad-bad-time-not-aligned.json":          "alignment depends on interval_s",
	"reading-bad-bad-time-clock-never-set.json":      "the range of years is arithmetic",
	"incident-bad-bad-time-until-before-from.json":   "compares two times",
	"reading-bad-not-json.json":                      "not JSON",
	"reading-bad-not-json-trailing-data.json":        "not JSON",
	"reading-bad-not-json-gbk.json":                  "not JSON: not UTF-8",
	"reading-bad-not-json-empty.json":                "not JSON",
	"reading-bad-not-a-number-python-nan.json":       "not JSON: bare NaN",
	"reading-bad-not-a-number-infinity.json":         "not JSON: bare Infinity",
	"reading-bad-not-a-number-unknown-field.json":    "not JSON: bare NaN",
	"directive-bad-bad-time-longer-than-a-year.json": "compares two times",
	"directive-bad-not-json.json":                    "not JSON",
	"incident-bad-not-json.json":                     "not JSON",
	"incident-bad-not-a-number.json":                 "not JSON: bare NaN",
}

func TestCodeAndSchemaAgreeOnEveryExample(t *testing.T) {
	schemas := map[string]*jsonschema.Schema{"reading": schema(t, "reading"), "incident": schema(t, "incident"), "directive": schema(t, "directive")}
	seen := 0
	for name, value := range examples(t, "*.json") {
		seen++
		kind, rest, _ := strings.Cut(strings.TrimSuffix(name, ".json"), "-")
		t.Run(name, func(t *testing.T) {
			err := decodeExample(name, value)
			schemaErr := validate(schemas[kind], value)
			why, rest, _ := strings.Cut(rest, "-")
			if why == "good" {
				if err != nil || schemaErr != nil {
					t.Fatalf("a good example is refused\n code:   %v\n schema: %v", err, schemaErr)
				}
				return
			}
			if want := reasonIn(t, rest); rejection(t, err).Reason != want {
				t.Errorf("refused as %v, want %s", err, want)
			}
			switch {
			case codeOnly[name] == "" && schemaErr == nil:
				t.Error("the schema takes it; if it cannot do otherwise, list it in codeOnly")
			case codeOnly[name] != "" && schemaErr != nil && !errors.Is(schemaErr, errNotJSON):
				t.Errorf("listed as beyond the schema, which refuses it: %v", schemaErr)
			}
		})
	}
	if seen < 60 {
		t.Errorf("found only %d examples", seen)
	}
}

// Every reason that one record can be refused for, without a clock and
// without another encoding, has an example.
func TestEveryReasonHasAnExample(t *testing.T) {
	elsewhere := map[ingest.Reason]string{
		ingest.Future:           "TestCheckClock",
		ingest.TooLate:          "TestCheckClock",
		ingest.NotProtobuf:      "TestDecodeProtobufRefuses",
		ingest.UnknownContent:   "TestContentTypes",
		ingest.UnknownHousehold: "the roster knows: ingest/intake",
		ingest.UnknownMeter:     "the roster's to say, package intake",
	}
	have := make(map[ingest.Reason]bool)
	for name := range examples(t, "*-bad-*.json") {
		_, rest, _ := strings.Cut(strings.TrimSuffix(name, ".json"), "-bad-")
		have[reasonIn(t, rest)] = true
	}
	for _, r := range ingest.Reasons {
		if !have[r] && elsewhere[r] == "" {
			t.Errorf("no example is refused as %s", r)
		}
	}
}

func TestSchemasOwnExamplesAreGood(t *testing.T) {
	for _, kind := range []string{"reading", "incident", "directive"} {
		s := schema(t, kind)
		if len(s.Examples) == 0 {
			t.Errorf("%s.schema.json shows no example", kind)
		}
		for i, example := range s.Examples {
			if err := s.Validate(example); err != nil {
				t.Errorf("%s.schema.json, example %d: %v", kind, i, err)
			}
		}
	}
}

func examples(t testing.TB, pattern string) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "..", "testdata", "contract", pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no example matches %s: %v", pattern, err)
	}
	files := make(map[string][]byte, len(paths))
	for _, path := range paths {
		value, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = value
	}
	return files
}

// reasonIn finds the reason that a file name begins with; the longest one, as
// no-meter is not no.
func reasonIn(t testing.TB, name string) ingest.Reason {
	t.Helper()
	var found ingest.Reason
	for _, r := range ingest.Reasons {
		if (name == string(r) || strings.HasPrefix(name, string(r)+"-")) && len(r) > len(found) {
			found = r
		}
	}
	if found == "" {
		t.Fatalf("%q begins with no reason", name)
	}
	return found
}

func rejection(t testing.TB, err error) *ingest.Rejection {
	t.Helper()
	var rej *ingest.Rejection
	if !errors.As(err, &rej) {
		t.Fatalf("error is %v, want an *ingest.Rejection", err)
	}
	return rej
}

var errNotJSON = errors.New("not JSON")

func validate(s *jsonschema.Schema, value []byte) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(value))
	if err != nil {
		return errors.Join(errNotJSON, err)
	}
	return s.Validate(doc)
}

func schema(t testing.TB, kind string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	for name, text := range map[string]string{
		"reading.schema.json": contract.ReadingSchema(), "incident.schema.json": contract.IncidentSchema(),
		"directive.schema.json": contract.DirectiveSchema(),
	} {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := c.AddResource(name, doc); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	s, err := c.Compile(kind + ".schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}
