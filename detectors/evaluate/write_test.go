package evaluate

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func smallReport(t *testing.T) *Report {
	t.Helper()
	feed, roster := villageFeed(t, 6, 1, 80, time.Hour)
	opt := smallOptions()
	opt.Roster = roster
	opt.Homes = householdsOf(t, feed.Meters(), roster)
	opt.Budgets = []float64{0.01, 0.04}
	report, err := Run(t.Context(), feed, opt)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestAReportIsTheSameAfterJSONAndReadsAsTableCSVAndSVG(t *testing.T) {
	report := smallReport(t)

	raw, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	again := new(Report)
	if err := json.Unmarshal(raw, again); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(again, report) {
		t.Error("the report differs after JSON")
	}

	var table bytes.Buffer
	if err := report.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"6 homes from the list", "Untouched homes, per home-day", "outside silences", "days 3 to 42", "still", "any-time", "red or orange",
		"≤ 12 h", "median", "stand-by", "Hokuriku", "The bound", "Operating curve", "0.04",
	} {
		if !strings.Contains(table.String(), part) {
			t.Errorf("the table lacks %q:\n%s", part, table.String())
		}
	}

	var text bytes.Buffer
	if err := report.WriteCSV(&text); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&text).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, section := range []string{"untouched", "score", "bound", "curve"} {
		if !slices.ContainsFunc(rows, func(row []string) bool { return row[0] == section }) {
			t.Errorf("no row of section %s", section)
		}
	}

	var svg bytes.Buffer
	if err := report.WriteSVG(&svg); err != nil {
		t.Fatal(err)
	}
	for dec := xml.NewDecoder(&svg); ; {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the picture is not well-formed: %v", err)
		}
	}
}

func TestAPictureWithoutACurveIsStillOne(t *testing.T) {
	for _, r := range []*Report{{}, {Curve: []Point{{Name: "weimang"}}}} {
		var svg bytes.Buffer
		if err := r.WriteSVG(&svg); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(svg.String(), "NaN") || strings.Contains(svg.String(), "Inf") {
			t.Errorf("numbers that are none:\n%s", svg.String())
		}
	}
}

func TestOptionsExplainWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		says   string
		change func(*Options)
	}{
		{"warm-up", func(o *Options) { o.Warmup = time.Hour }},
		{"cases", func(o *Options) { o.Cases = 0 }},
		{"area size", func(o *Options) { o.AreaSize = 0 }},
		{"bootstrap", func(o *Options) { o.Bootstrap = -1 }},
		{"curve cases", func(o *Options) { o.CurveCases = 0 }},
		{"budget", func(o *Options) { o.Budgets = []float64{0} }},
		{"stil", func(o *Options) { o.Kinds = []string{"stil"} }},
		{"skew", func(o *Options) { o.Params.Skew = -1 }},
	} {
		opt := DefaultOptions()
		c.change(&opt)
		if err := opt.Validate(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v, want something about %s", err, c.says)
		}
	}
}
