package rosterfile

import (
	"bytes"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"weimang/alerts/roster"
)

const examples = "../../testdata/roster"

var (
	opt    = Options{Zone: "Asia/Shanghai", Lang: roster.English}
	ningbo = must(time.LoadLocation("Asia/Shanghai"))
	day    = time.Date(2026, time.September, 1, 0, 0, 0, 0, ningbo)
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// look is what a list has, and everything that is wrong with it.
func look(t *testing.T, l *List, err error) (*roster.Roster, []Fault) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	r, at := Build(l.Tables)
	return r, append(l.Faults, Locate(roster.Check(r, roster.Checking{Now: day}), at, opt.Lang)...)
}

func lines(faults []Fault) []string {
	var out []string
	for _, f := range faults {
		sheet := f.Sheet
		if sheet == "" {
			sheet = strings.TrimSuffix(f.File, ".csv")
		}
		out = append(out, fmt.Sprintf("%s:%d %s %s", sheet, f.Row, f.Column, f.Rule))
	}
	return out
}

func TestAVillagesFolderIsReadWithoutComplaint(t *testing.T) {
	l, err := Open(filepath.Join(examples, "good"), opt)
	r, faults := look(t, l, err)
	if len(faults) != 0 {
		t.Errorf("complains: %q", lines(faults))
	}
	if len(r.Units) != 5 || len(r.Households) != 2 || len(r.Meters) != 3 || len(r.People) != 5 || len(r.Duties) != 6 {
		t.Fatalf("read %d units, %d households, %d meters, %d people, %d duties", len(r.Units), len(r.Households), len(r.Meters), len(r.People), len(r.Duties))
	}
	h := r.Households[0]
	if h.VillageID != "wandi" || h.CellID != "wandi-1" || h.VisitEvery != 30 || h.Label != "3组12号" {
		t.Errorf("household: village %s, cell %s, every %d days", h.VillageID, h.CellID, h.VisitEvery)
	}
	if m := r.Meters[1]; m.MeterID != "330212-0911" || !m.From.Equal(time.Date(2026, 8, 1, 0, 0, 0, 0, ningbo)) || m.VillageID != "wandi" || m.AreaID != "TQ-0107" {
		t.Errorf("the new meter: %+v", m)
	}
	var deputy roster.Person
	for _, p := range r.People {
		if p.ID == "deputy-wd" {
			deputy = p
		}
	}
	if want := []roster.Contact{{Channel: "sms", Address: "13800000002", CheckedAt: time.Date(2026, 6, 1, 0, 0, 0, 0, ningbo).UTC()}}; !reflect.DeepEqual(deputy.Contacts, want) {
		t.Errorf("the deputy's contacts differ: %d", len(deputy.Contacts))
	}
}

func TestABadFolderIsToldWithRowColumnAndRemedyAndNobodysName(t *testing.T) {
	l, err := Open(filepath.Join(examples, "bad"), opt)
	_, faults := look(t, l, err)
	got := lines(faults)
	for _, want := range []string{
		"单位:4  village-without-chair", "单位:4 上级 escalation-ends", "单位:3 上级 escalation-ends",
		"单位:5 上级 unit-cycle", "单位:6 上级 unit-cycle",
		"住户:3 电表号 meter-twice", "住户:3 门牌 label-twice", "住户:8  home-without-meter", "住户:5 村 home-unknown-village",
		"住户:6 户号 cell-personal-id", "住户:7 启用 cell-date", "住户:2  consent-expired", "住户:3  consent-missing",
		"人员:2 号码 contact-wrong", "人员:2  chair-unreachable", "人员:2 代班人 stand-in-unknown", "人员:3 号码 cell-digits-lost", "人员:4 号码 number-impossible",
		"人员:5 号码 number-without-area-code", "人员:5 户号 unknown-household", "人员:6 核对日期 contact-aged", "人员:7 号码 number-shared",
		"人员:8 角色 cell-word", "人员:7 角色 duty-place",
		"审核:3 步骤 screening-order", "审核:4 理由 cell-empty", "审核:6 步骤 screening-refused", "住户:3  screening-incomplete",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("not told: %s", want)
		}
	}
	if t.Failed() {
		t.Log(strings.Join(got, "\n"))
	}
	for _, f := range faults {
		if f.Text == "" || f.Remedy == "" {
			t.Errorf("%s has no text or remedy", f.Rule)
		}
		if said := fmt.Sprintf("%+v", f); strings.Contains(said, "138") || strings.Contains(said, "甲主席") || strings.Contains(said, "丙") {
			t.Errorf("repeats a cell: %s", said)
		}
	}
}

func TestEveryRuleIsExplainedInBothLanguages(t *testing.T) {
	for _, rule := range []roster.Rule{roster.CellEmpty, roster.StandInOff, roster.HomeErased, roster.FileSyntax} {
		for _, lang := range roster.Langs {
			if e := rule.Explain(lang); e.Text == "" || e.Remedy == "" {
				t.Errorf("%s in %s: %+v", rule, lang, e)
			}
		}
	}
}

// What a workbook has been through: dates as numbers, telephone numbers as
// floats, a title, merged villages, formulas, hidden and blank rows.
func TestAWorkbookFromTheTownHall(t *testing.T) {
	book := excelize.NewFile()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ok(book.SetSheetName("Sheet1", "住户"))
	for i, row := range [][]any{
		{"示范镇独居老人名单"},
		{"户号*", "村", "台区", "门牌(村里叫法)", "电表号", "启用", "走访间隔天数"},
		{"h-1", "wandi", "TQ-1", " 3组12号 ", 330212004200001, 46235, "7"},
		{"h-2", nil, "TQ-1", "3组13号", "330212-0043", "2026年8月1日", 30.0},
		{},
		{"h-3", "wandi", "TQ-1", "3组14号", "330212-0044", "2026/8/1 08:30", nil},
	} {
		ok(book.SetSheetRow("住户", fmt.Sprintf("A%d", i+1), &row))
	}
	ok(book.MergeCell("住户", "A1", "G1"))
	ok(book.MergeCell("住户", "B3", "B4"))
	ok(book.SetRowVisible("住户", 6, false))
	_, err := book.NewSheet("人员")
	ok(err)
	for i, row := range [][]any{
		{"角色", "村", "姓名", "手机号"},
		{"主席", "wandi", "甲", 13800000001.0},
		{"副主席", "wandi", "乙", 1.3800000002e10},
		{"网格员", "wandi", "丙", nil},
		{"网格员", "wandi", "丁", "#REF!"},
	} {
		ok(book.SetSheetRow("人员", fmt.Sprintf("A%d", i+1), &row))
	}
	ok(book.SetCellFormula("人员", "D4", "VLOOKUP(C4,A:B,2)"))
	_, err = book.NewSheet("说明")
	ok(err)
	var file bytes.Buffer
	ok(book.Write(&file))

	l, err := Read(file.Bytes(), "名单.xlsx", opt)
	ok(err)
	r, _ := Build(l.Tables)
	for i, want := range []struct {
		village, from, meter string
		days                 int
	}{
		{"wandi", "2026-08-01T00:00:00+08:00", "330212004200001", 7},
		{"wandi", "2026-08-01T00:00:00+08:00", "330212-0043", 30},
		{"wandi", "2026-08-01T08:00:00+08:00", "330212-0044", 0},
	} {
		h, m := r.Households[i], r.Meters[i]
		if h.VillageID != want.village || h.VisitEvery != want.days || m.MeterID != want.meter || m.From.In(ningbo).Format(time.RFC3339) != want.from {
			t.Errorf("row %d: village %s, every %d, meter %s from %s", i, h.VillageID, h.VisitEvery, m.MeterID, m.From.In(ningbo))
		}
	}
	if r.Households[0].Label != "3组12号" {
		t.Error("the label keeps what an input method put around it")
	}
	if len(r.People) != 2 || r.People[0].Contacts[0].Address != "13800000001" || r.People[1].Contacts[0].Address != "13800000002" {
		t.Errorf("%d people, or other numbers", len(r.People))
	}
	got := lines(l.Faults)
	for _, want := range []string{"住户:6  row-hidden", "人员:4 手机号 cell-formula-empty", "人员:5 手机号 cell-formula-error", "说明:0  sheet-unknown"} {
		if !slices.Contains(got, want) {
			t.Errorf("not told: %s of %q", want, got)
		}
	}
	if len(got) != 4 {
		t.Errorf("told: %q", got)
	}
}

func TestATextFileInGBKWithSemicolonsIsRead(t *testing.T) {
	const file = "户号;村;台区;门牌;电表号\r\nh-1;wandi;TQ-1;3组12号;0001\r\n"
	gbk := must(simplifiedchinese.GBK.NewEncoder().Bytes([]byte(file)))
	l, err := Read(gbk, "住户.csv", opt)
	r, faults := look(t, l, err)
	if len(faults) != 0 || len(r.Households) != 1 || r.Households[0].ID != "h-1" || r.Households[0].Label != "3组12号" || r.Meters[0].MeterID != "0001" {
		t.Errorf("read %d households; complains %q", len(r.Households), lines(faults))
	}
}

func TestWhatCannotBeReadIsSaidByPlace(t *testing.T) {
	for name, c := range map[string]struct{ file, want string }{
		"nothing":           {"", "households:0  sheet-empty"},
		"no such encoding":  {"household_id,label\nh-1,\xff\xff\xff\n", "households:0  file-encoding"},
		"quote left open":   {"household_id,label\nh-1,\"3\n", "households:2  file-syntax"},
		"column missing":    {"village_id,area_id\nwandi,TQ-1\n", "households:1 household_id column-missing"},
		"column twice":      {"household_id,label,门牌\nh-1,a,b\n", "households:1 label column-twice"},
		"row too long":      {"household_id,label\nh-1,a,b\n", "households:2  row-long"},
		"id with a space":   {"household_id\nh 1\n", "households:2 household_id cell-id"},
		"control character": {"household_id,label\nh-1,a\x07\n", "households:2 label cell-characters"},
		"too long":          {"household_id,label\nh-1," + strings.Repeat("长", 501) + "\n", "households:2 label cell-long"},
		"no zone":           {"household_id,zone\nh-1,Ningbo\n", "households:2 zone cell-zone"},
		"negative":          {"household_id,visit_every\nh-1,-3\n", "households:2 visit_every cell-number"},
		"rows that differ":  {"household_id,label\nh-1,a\nh-1,b\n", "households:3 label row-conflict"},
		"meter twice":       {"household_id,meter_id\nh-1,m-1\nh-2,m-1\n", "households:3 meter_id row-twice"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := Read([]byte(c.file), "households.csv", opt)
			if err != nil {
				t.Fatal(err)
			}
			if got := lines(l.Faults); !slices.Contains(got, c.want) || !Refused(l.Faults) && !strings.HasSuffix(c.want, "empty") {
				t.Errorf("told %q, want %q", got, c.want)
			}
		})
	}
}

func TestWhatIsExportedIsReadBackTheSame(t *testing.T) {
	l, err := Open(filepath.Join(examples, "good"), opt)
	r, _ := look(t, l, err)
	r.Households[0].Address = "=HYPERLINK(\"http://example.org\")"
	r.Households[1].Label = "'-3号"
	want := Encode(r)
	for _, lang := range roster.Langs {
		w := Writing{Zone: ningbo, Lang: lang}
		var book bytes.Buffer
		if err := w.XLSX(&book, want); err != nil {
			t.Fatal(err)
		}
		fromBook, err := Read(book.Bytes(), "all.xlsx", opt)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(t.TempDir(), "out")
		if err := w.Folder(dir, want); err != nil {
			t.Fatal(err)
		}
		fromFolder, err := Open(dir, opt)
		if err != nil {
			t.Fatal(err)
		}
		for way, l := range map[string]*List{"workbook": fromBook, "folder": fromFolder} {
			if changes := Diff(want, l.Tables); len(changes) > 0 || len(l.Faults) > 0 {
				t.Errorf("%s in %s: %v, told %q", way, lang, changes, lines(l.Faults))
			}
		}
		text := string(must(readBounded(filepath.Join(dir, sheetOf(roster.SheetHouseholds).Name(lang)+".csv"))))
		if !strings.Contains(text, "'=HYPERLINK") || strings.Contains(text, ",=") || strings.Contains(text, `"=`) {
			t.Errorf("in %s a spreadsheet would take a text for a formula", lang)
		}
	}
}

func TestAMaskedExportNamesNobody(t *testing.T) {
	l, err := Open(filepath.Join(examples, "good"), opt)
	r, _ := look(t, l, err)
	dir := t.TempDir()
	if err := (Writing{Zone: ningbo, Lang: roster.Chinese, Mask: true}).Folder(dir, Encode(r)); err != nil {
		t.Fatal(err)
	}
	for _, file := range must(filepath.Glob(filepath.Join(dir, "*.csv"))) {
		data := string(must(readBounded(file)))
		for _, personal := range []string{"甲主席", "乙副主席", "13800000001", "057488000000", "3组12号", "独居高龄", "上门看一看"} {
			if strings.Contains(data, personal) {
				t.Errorf("%s holds %s", filepath.Base(file), personal)
			}
		}
	}
}

func TestAListChangesWhatItNamesAndLeavesTheRest(t *testing.T) {
	l, err := Open(filepath.Join(examples, "good"), opt)
	r, _ := look(t, l, err)
	stored := Encode(r)

	// The chair has a new number, and h-0043 has moved behind another transformer.
	people := must(Read([]byte("person_id,phone\nchair-wd,13900000009\n"), "people.csv", opt))
	moved := must(Read([]byte("meter_id,household_id,area_id,from\n330212-0043,h-0043,TQ-0109,2026-09-01\n"), "meters.csv", opt))

	after := Overlay(stored, people, false)
	b, at := Build(after)
	if !reflect.DeepEqual(b.People[0].Contacts, []roster.Contact{{Channel: "sms", Address: "13900000009"}}) || b.People[0].Name != "甲主席" || b.People[0].StandIn != "deputy-wd" {
		t.Error("the chair's number is another, and nothing else of her")
	}
	if len(b.People) != 5 || len(b.Duties) != 6 || at[roster.Ref{Sheet: roster.SheetPeople}].At.Row != 2 {
		t.Errorf("%d people and %d duties are left", len(b.People), len(b.Duties))
	}
	changes := fmt.Sprint(Diff(stored, after))
	if changes != "[{contacts chair-wd sms added []} {contacts chair-wd sms gone []}]" {
		t.Errorf("diff: %s", changes)
	}

	after = Overlay(stored, moved, false)
	b, _ = Build(after)
	if problems := roster.Check(b, roster.Checking{Now: day, Whole: true}); len(problems) != 0 {
		t.Errorf("after the move: %v", problems)
	}
	if changes := fmt.Sprint(Diff(stored, after)); changes != "[{meters 330212-0043 2026-08-31T16:00:00Z added []} {meters 330212-0043 changed [{until  2026-08-31T16:00:00Z}]}]" {
		t.Errorf("diff: %s", changes)
	}

	// A list that does not say since when a meter is where it is changes nothing.
	undated := must(Read([]byte("household_id,meter_id\nh-0042,330212-0911\n"), "households.csv", opt))
	if changes := Diff(stored, Overlay(stored, undated, false)); len(changes) > 0 {
		t.Errorf("diff: %v", changes)
	}

	// The whole list of people is the chair: everybody else leaves with what is hers.
	whole := must(Read([]byte("person_id,role,unit_id\nchair-wd,chair,wandi\n"), "people.csv", opt))
	b, _ = Build(Overlay(stored, whole, true))
	if len(b.People) != 1 || len(b.Duties) != 1 || b.People[0].Name != "甲主席" || len(b.People[0].Leaves) != 1 || b.People[0].Leaves[0].StandIn != "" {
		t.Errorf("left: %d people, %d duties", len(b.People), len(b.Duties))
	}
}

func TestAWorkbookThatUnpacksToGigabytesIsRefused(t *testing.T) {
	if _, err := Read(bomb(t), "bomb.xlsx", opt); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsNoWorkbookIsRefusedWithTheRemedy(t *testing.T) {
	if _, err := Read([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "old.xls", opt); err == nil || !strings.Contains(err.Error(), ".xlsx") {
		t.Errorf("got %v", err)
	}
}
