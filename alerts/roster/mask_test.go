package roster

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"
)

// secret stands for whatever somebody has written into a field.
const secret = "李桂花"

// fill writes the secret into every text that a value can hold, and leaves the
// ids, which may be shown.
func fill(v reflect.Value, ids map[string]bool) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; v.Field(i).CanSet() && !ids[name] {
				fill(v.Field(i), ids)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), ids)
	case reflect.String:
		v.SetString(secret)
	}
}

func TestNothingPersonalIsEverPrintedLoggedOrEncoded(t *testing.T) {
	ids := map[string]bool{"ID": true, "HouseholdID": true, "Channel": true}
	for _, v := range []any{new(Person), new(Contact), new(Household), new(Screening), new(Service), new(Order), new(Plan), new(Visit), new(Member)} {
		fill(reflect.ValueOf(v).Elem(), ids)
		value := reflect.ValueOf(v).Elem().Interface()
		if reflect.DeepEqual(value, reflect.Zero(reflect.TypeOf(value)).Interface()) {
			t.Fatalf("%T: nothing was filled in", value)
		}
		nested := struct {
			One  any
			Many []any
			By   map[string]any
		}{value, []any{value, v}, map[string]any{"a": value}}
		for _, shown := range []any{value, v, nested, []any{value}} {
			var out bytes.Buffer
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
				fmt.Fprintf(&out, verb+"\n", shown)
			}
			slog.New(slog.NewTextHandler(&out, nil)).Info("text", "v", shown)
			slog.New(slog.NewJSONHandler(&out, nil)).Info("json", "v", shown)
			if err := json.NewEncoder(&out).Encode(shown); err != nil {
				t.Errorf("%T: %v", value, err)
			}
			if s := out.String(); strings.Contains(s, secret) || strings.Contains(s, fmt.Sprintf("%x", secret)) {
				t.Errorf("%T shows what it must not: %s", value, s)
			}
		}
	}
}
