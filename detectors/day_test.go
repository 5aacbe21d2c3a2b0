package detectors

import "testing"

// What a silence has accounted for is not seen, and nothing is told of a day of
// which most was not seen.
func TestADayThatWasNotSeenIsNotToldOf(t *testing.T) {
	var st homeState
	d := &st.Day
	end := tick(1000 * slotsADay)
	put := func(missed int) {
		end += tick(2 * (missed + 1))
		d.put(&st.Habits, &st.Quiet, &halfHour{end: end, slot: int(end/2) % slotsADay, watts: 100}, true)
	}
	for _, c := range []struct {
		name  string
		do    func()
		wants bool
	}{
		{"nothing was heard before", func() { put(0) }, false},
		{"a whole day", func() {
			for range slotsADay {
				put(0)
			}
		}, true},
		{"a gap of a quarter of the day", func() { put(guessedMost) }, true},
		{"another half-hour is missing", func() { put(1) }, false},
		{"the first gap is a day old", func() {
			for range slotsADay - guessedMost {
				put(0)
			}
		}, true},
		{"a silence has accounted for it", func() { st.clearDay() }, false},
		{"three quarters of a day later", func() {
			for range slotsADay - guessedMost {
				put(0)
			}
		}, true},
	} {
		if c.do(); d.seen() != c.wants {
			t.Errorf("%s: seen is %t", c.name, d.seen())
		}
	}
}
