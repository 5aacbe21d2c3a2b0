package detectors

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Differ says in what two encoded areas differ, a line each, for whoever has to
// find out why: of the area and of each home the names of the parts that do, and
// the first reading. What OrderFree leaves out is left out.
func Differ(p *Params, x, y []byte) ([]string, error) {
	a, err := DecodeArea(p, x)
	if err != nil {
		return nil, err
	}
	b, err := DecodeArea(p, y)
	if err != nil {
		return nil, err
	}
	var lines []string
	add := func(of string, parts []string) {
		if len(parts) > 0 {
			lines = append(lines, of+": "+strings.Join(parts, ", "))
		}
	}
	var parts []string
	for _, part := range []struct {
		name string
		x, y any
	}{
		{"clock", a.clock.UTC(), b.clock.UTC()},
		{"watermark", a.watermark.time(), b.watermark.time()},
		{"settled", a.pos[settled].time(), b.pos[settled].time()},
		{"incidents", len(a.incidents), len(b.incidents)},
		{"homes", len(a.homes), len(b.homes)},
	} {
		if part.x != part.y {
			parts = append(parts, fmt.Sprintf("%s (%v and %v)", part.name, part.x, part.y))
		}
	}
	add("area "+a.id, append(parts, unlike(&a.view[settled], &b.view[settled])...))
	for i, x := range a.incidents {
		if i < len(b.incidents) && !reflect.DeepEqual(x, b.incidents[i]) {
			add("incident "+x.ID, []string{fmt.Sprintf("%+v and %+v", x, b.incidents[i])})
		}
	}
	for _, h := range a.homes {
		i := slices.IndexFunc(b.homes, func(o *home) bool { return o.id == h.id })
		if i < 0 {
			add("household "+h.id, []string{"is in one of them"})
			continue
		}
		var x, y homeState
		a.settledState(h, &x)
		b.settledState(b.homes[i], &y)
		add("household "+h.id, append(unlike(&x, &y), h.unlike(b.homes[i])...))
	}
	return lines, nil
}

// unlike names the parts beside the states in which a home differs from another.
func (h *home) unlike(o *home) []string {
	var parts []string
	if x, y := h.wasSaid(), o.wasSaid(); x != y {
		parts = append(parts, fmt.Sprintf("what was said (%+v and %+v)", x, y))
	}
	if h.since != o.since {
		parts = append(parts, fmt.Sprintf("since when it is known (%s and %s)", h.since.time(), o.since.time()))
	}
	if !reflect.DeepEqual(h.res, o.res) {
		parts = append(parts, fmt.Sprintf("what the roster says (%+v and %+v)", h.res, o.res))
	}
	for i, m := range h.meters {
		if i >= len(o.meters) || m.id != o.meters[i].id {
			return append(parts, "meters")
		}
		if !slices.Equal(m.spans, o.meters[i].spans) {
			parts = append(parts, fmt.Sprintf("the times of meter %s (%v and %v)", m.id, m.spans, o.meters[i].spans))
		}
		w := &o.meters[i].win
		if m.states[settled] != o.meters[i].states[settled] {
			parts = append(parts, "register")
		}
		for end := min(m.win.from, w.from); end <= max(m.win.newest, w.newest); end++ {
			if x, y := m.win.at(end), w.at(end); x != y {
				parts = append(parts, fmt.Sprintf("the reading that ends at %s (%+v and %+v)", end.time().Format("2006-01-02 15:04"), x, y))
				break
			}
		}
	}
	return parts
}

// unlike names the fields in which two states of one type differ.
func unlike[T any](x, y *T) (names []string) {
	a, b := reflect.ValueOf(x).Elem(), reflect.ValueOf(y).Elem()
	for i := range a.NumField() {
		if !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
			names = append(names, a.Type().Field(i).Name)
		}
	}
	return names
}
