package simulate

import (
	"fmt"
	"slices"
	"time"

	"weimang/ingest"
)

// errands are what a grid worker writes of her round on most days: nothing
// that concerns a person.
var errands = [...]struct{ class, text string }{
	{"street-light", "巡查发现%d组路口路灯不亮,已联系村里电工更换。"},
	{"environment", "%d组河道边有少量垃圾堆放,已通知保洁员清理。"},
	{"fire-safety", "%d组走访时检查楼道,有电瓶车飞线充电,已当场劝阻并整改。"},
	{"road", "%d组村道有一处破损积水,已放置警示牌,报村委会安排修补。"},
	{"notice", "在%d组张贴防诈骗宣传单,提醒老人不轻信陌生电话。"},
	{"drainage", "雨后巡查,%d组下水道轻微堵塞,已疏通。"},
}

// Reports lists what both grids report in the village's span, by the time of
// publishing: announcements among the events, and now and then something
// harmless from a grid worker.
func (v *Village) Reports() []ingest.Report {
	var reports []ingest.Report
	for _, event := range v.opt.Events {
		if a, ok := event.(Announcement); ok {
			reports = append(reports, v.announce(a))
		}
	}
	d := newDice()
	for day := dayNumber(v.opt.Start, v.loc); v.midnight(day).Before(v.opt.End); day++ {
		d.roll(v.opt.Seed, streamReports, -1, day)
		if d.chance(0.12) {
			reports = append(reports, v.round(day, d))
		}
	}
	reports = slices.DeleteFunc(reports, func(r ingest.Report) bool {
		return r.PublishedAt.Before(v.opt.Start) || !r.PublishedAt.Before(v.opt.End)
	})
	slices.SortStableFunc(reports, func(a, b ingest.Report) int { return a.PublishedAt.Compare(b.PublishedAt) })
	return reports
}

func (v *Village) announce(a Announcement) ingest.Report {
	from, until := a.From.In(v.loc), a.Until.In(v.loc)
	end := until.Format("15:04")
	if dayNumber(from, v.loc) != dayNumber(until, v.loc) {
		end = fmt.Sprintf("%d月%d日%s", until.Month(), until.Day(), end)
	}
	return ingest.Report{
		PublishedAt: a.PublishedAt.UTC(),
		Incident: ingest.Incident{
			ID:     fmt.Sprintf("pg-%s-%s", from.Format("200601021504"), a.Area),
			Source: ingest.PowerGrid,
			Class:  ingest.ClassPlannedOutage,
			State:  ingest.Accepted,
			Scope:  ingest.Scope{Areas: []string{a.Area}},
			From:   a.From.UTC(),
			Until:  a.Until.UTC(),
		},
		Text: fmt.Sprintf("因10千伏线路检修,%d月%d日%s至%s,%d号台区计划停电,请提前做好准备,注意防暑,关好电器开关。",
			from.Month(), from.Day(), from.Format("15:04"), end, v.areaIndex(a.Area)+1),
		ReporterRole: "power-supply-station",
	}
}

// round is one line from a grid worker's walk through a group.
func (v *Village) round(day int, d *dice) ingest.Report {
	errand := errands[d.IntN(len(errands))]
	group := 1 + d.IntN((v.opt.Households+homesPerGroup-1)/homesPerGroup)
	at := v.midnight(day).Add(time.Duration(d.between(8, 17.5) * float64(time.Hour))).Truncate(time.Minute)
	return ingest.Report{
		PublishedAt: at.UTC(),
		Incident: ingest.Incident{
			ID:     fmt.Sprintf("sg-%s-%s", at.Format("200601021504"), v.opt.Village),
			Source: ingest.SocialGrid,
			Class:  errand.class,
			State:  ingest.Handled,
			Scope:  ingest.Scope{Villages: []string{v.opt.Village}},
			From:   at.UTC(),
			Until:  at.Add(time.Hour).UTC(),
		},
		Text:         fmt.Sprintf(errand.text, group),
		ReporterRole: "grid-worker",
	}
}
