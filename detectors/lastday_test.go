package detectors

import "testing"

func TestPlainSumsOfTheLastHours(t *testing.T) {
	var d lastDay
	begin := tick(1_978_560) // a midnight
	for i := range tick(3 * 48) {
		d.add(begin+2*(i+1), float64(i), 2*float64(i)) // half-hours of 0, 1, 2 … Wh
	}
	if use, usual := d.sum(2); use != 140+141+142+143 || usual != 2*use {
		t.Errorf("two hours: %v of %v", use, usual)
	}
	if use, _ := d.sum(24); use != 48*(96+143)/2.0 {
		t.Errorf("a day: %v", use)
	}
	d.add(begin+2*3*48+2*10, 7, 70) // nothing came for four and a half hours
	if use, usual := d.sum(5); use != 7 || usual != 70 {
		t.Errorf("over a gap: %v of %v", use, usual)
	}
	d.add(begin+2*3*48+4*200, 9, 90)
	if use, _ := d.sum(24); use != 9 {
		t.Errorf("after days without data: %v", use)
	}
}
