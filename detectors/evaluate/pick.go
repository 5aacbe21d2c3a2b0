package evaluate

import (
	"fmt"
	"slices"
)

// What a regular home with somebody at home by day is, from the raw values
// alone: no detector has a say in it.
const (
	mostMissing   = 0.05 // of the span of all homes
	leastDailyWh  = 1500
	leastDayNight = 1.3  // mean power by day over that of the nights
	leastDaysUsed = 0.93 // days with some use
	leastByDay    = 0.35 // of the readings between 9 and 17, above the nights' level
	// The nights' level: the upper quartile of the readings from 1 to 5, a
	// fifth more and 50 W.
	levelFrom, levelUntil  = 1, 5
	nightShare, nightWatts = 1.2, 50
)

// Reasons for which a home is left out, in the order in which they are asked.
const (
	leftShort   = "too few days after the warm-up"
	leftMissing = "more than 5 % missing"
	leftLittle  = "less than 1.5 kWh a day"
	leftNights  = "days less than 1.3 times the nights"
	leftUnused  = "some use on less than 93 % of days"
	leftAway    = "above the nights' level for less than 35 % of the hours 9 to 16"
	leftList    = "not in the list"
)

var leftReasons = []string{leftList, leftShort, leftMissing, leftLittle, leftNights, leftUnused, leftAway}

// shortestTrial is how many days a home must have after the warm-up.
const shortestTrial = 7 * dayTicks

// regular says why a home is not regular, "" if it is. Its readings should
// cover span, that of all homes.
func (h *home) regular(span tick) string {
	known, total := 0.0, 0.0
	var nights []float64
	for i, wh := range h.wh {
		if !measured(wh) {
			continue
		}
		known++
		total += float64(wh)
		if l := h.at(i).in(h.loc); l.hour >= levelFrom && l.hour < levelUntil {
			nights = append(nights, float64(wh))
		}
	}
	if known < (1-mostMissing)*float64(span/h.step) || len(nights) == 0 {
		return leftMissing
	}
	perDay := float64(dayTicks / h.step)
	if total/known*perDay < leastDailyWh {
		return leftLittle
	}
	slices.Sort(nights)
	level := nightShare*quantile(nights, 0.75) + nightWatts*h.step.hours()
	nightMean := 0.0
	for _, wh := range nights {
		nightMean += wh / float64(len(nights))
	}

	dayN, daySum, workN, workUp := 0.0, 0.0, 0.0, 0.0
	days, used := 0, 0
	today, anything := -1, false
	for i, wh := range h.wh {
		l := h.at(i).in(h.loc)
		if l.day != today {
			if today >= 0 && anything {
				used++
			}
			days++
			today, anything = l.day, false
		}
		if !measured(wh) {
			continue
		}
		up := float64(wh) > level
		if l.hour >= 7 && l.hour < 22 {
			dayN, daySum = dayN+1, daySum+float64(wh)
			anything = anything || up
		}
		if l.hour >= 9 && l.hour < 17 {
			workN++
			if up {
				workUp++
			}
		}
	}
	if anything {
		used++
	}
	switch {
	case daySum < leastDayNight*nightMean*dayN:
		return leftNights
	case float64(used) < leastDaysUsed*float64(days):
		return leftUnused
	case workUp < leastByDay*workN:
		return leftAway
	default:
		return ""
	}
}

// choose returns the homes to be judged, by the list of meter or household
// ids or, without one, by the rule, and counts those left out.
func choose(homes []*home, list []string, warmup tick) (map[*home]bool, []LeftOut, error) {
	judged := make(map[*home]bool)
	out := make(map[string]int)
	wanted := make(map[string]bool, len(list))
	for _, id := range list {
		wanted[id] = false
	}
	var from, until tick
	for i, h := range homes {
		if i == 0 || h.start < from {
			from = h.start
		}
		until = max(until, h.end())
	}
	for _, h := range homes {
		why := ""
		if list != nil {
			named := false
			for _, id := range append([]string{h.id}, h.meters...) {
				if _, ok := wanted[id]; ok {
					wanted[id], named = true, true
				}
			}
			if !named {
				why = leftList
			}
		}
		if why == "" && tick(len(h.wh))*h.step < warmup+shortestTrial {
			why = leftShort
		}
		if why == "" && list == nil {
			why = h.regular(until - from)
		}
		if why != "" {
			out[why]++
			continue
		}
		judged[h] = true
	}
	for _, id := range list {
		if !wanted[id] {
			return nil, nil, fmt.Errorf("no readings of home %s, which the list names", id)
		}
	}
	var left []LeftOut
	for _, why := range leftReasons {
		if out[why] > 0 {
			left = append(left, LeftOut{Why: why, Homes: out[why]})
		}
	}
	return judged, left, nil
}
