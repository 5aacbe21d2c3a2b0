package contract_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"weimang/ingest"
	"weimang/ingest/contract"
)

func TestAsyncAPINamesTopicsAndHoldsTogether(t *testing.T) {
	doc := asyncAPI(t)
	if got := at(t, doc, "asyncapi"); got != "3.0.0" {
		t.Errorf("asyncapi: %v", got)
	}
	for channel, topic := range map[string]string{"readings": ingest.TopicReadings, "incidents": ingest.TopicIncidents, "directives": ingest.TopicDirectives} {
		if got := at(t, doc, "channels", channel, "address"); got != topic {
			t.Errorf("channel %s is %v, want %s", channel, got, topic)
		}
	}
	refs := 0
	walkRefs(doc, func(ref string) {
		refs++
		if path, local := strings.CutPrefix(ref, "#/"); local {
			at(t, doc, strings.Split(path, "/")...) // fails when it leads nowhere
			return
		}
		switch ref {
		case "./reading.schema.json", "./incident.schema.json", "./directive.schema.json":
		default:
			t.Errorf("$ref %s leads out of the contract", ref)
		}
	})
	if refs == 0 {
		t.Error("no $ref at all")
	}
}

func TestAsyncAPIExamplesAreGoodByCodeAndSchema(t *testing.T) {
	doc := asyncAPI(t)
	for message, kind := range map[string]string{"readingJson": "reading", "incidentJson": "incident", "directiveJson": "directive"} {
		if ref := at(t, doc, "components", "messages", message, "payload", "schema", "$ref"); ref != "./"+kind+".schema.json" {
			t.Errorf("%s has payload %v", message, ref)
		}
		list, ok := at(t, doc, "components", "messages", message, "examples").([]any)
		if !ok || len(list) == 0 {
			t.Fatalf("%s shows no example", message)
		}
		for _, example := range list {
			name, _ := at(t, example, "name").(string)
			value, err := json.Marshal(at(t, example, "payload"))
			if err != nil {
				t.Fatal(err)
			}
			if err := validate(schema(t, kind), value); err != nil {
				t.Errorf("%s, example %s: %v", message, name, err)
			}
			if err := decodeExample(kind, value); err != nil {
				t.Errorf("%s, example %s: %v", message, name, err)
			}
		}
	}
}

// The document must stand alone, so it repeats the Protobuf schema.
func TestAsyncAPIRepeatsTheProtobufSchema(t *testing.T) {
	want, err := os.ReadFile(filepath.Join("..", "wirepb", "contract.proto"))
	if err != nil {
		t.Fatal(err)
	}
	if got := at(t, asyncAPI(t), "components", "schemas", "protobuf", "schema"); got != string(want) {
		t.Error("components.schemas.protobuf differs from ingest/wirepb/contract.proto: copy it")
	}
}

func asyncAPI(t *testing.T) any {
	t.Helper()
	text, err := yaml.YAMLToJSON([]byte(contract.AsyncAPI()))
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func at(t *testing.T, doc any, path ...string) any {
	t.Helper()
	for _, name := range path {
		members, _ := doc.(map[string]any)
		next, found := members[name]
		if !found {
			t.Fatalf("nothing at %s", strings.Join(path, "/"))
		}
		doc = next
	}
	return doc
}

func walkRefs(doc any, visit func(ref string)) {
	switch v := doc.(type) {
	case map[string]any:
		for name, member := range v {
			if ref, ok := member.(string); ok && name == "$ref" {
				visit(ref)
			}
			walkRefs(member, visit)
		}
	case []any:
		for _, element := range v {
			walkRefs(element, visit)
		}
	}
}
