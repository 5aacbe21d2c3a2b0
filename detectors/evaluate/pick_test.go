package evaluate

import (
	"slices"
	"strings"
	"testing"

	"weimang/ingest/intake"
)

func TestRegularHomesArePickedByTheRawValuesAlone(t *testing.T) {
	// At home by day, some 4.5 kWh a day.
	ordinary := func(i int) uint32 { return lived(i, 0, 0) }
	for _, c := range []struct {
		name string
		wh   func(i int) uint32
		why  string
	}{
		{"ordinary", ordinary, ""},
		{"a tenth missing", func(i int) uint32 {
			if i%10 == 0 {
				return absent
			}
			return ordinary(i)
		}, leftMissing},
		{"next to nothing", func(i int) uint32 { return ordinary(i) / 8 }, leftLittle},
		{"heated by night", func(i int) uint32 {
			if i%48 < 14 {
				return 400
			}
			return 450
		}, leftNights},
		{"away every tenth day", func(i int) uint32 {
			if i/48%10 == 0 {
				return 20
			}
			return ordinary(i)
		}, leftUnused},
		{"out at work", func(i int) uint32 {
			if hour := i % 48 / 2; hour >= 8 && hour < 18 {
				return 20
			}
			return ordinary(i)
		}, leftAway},
	} {
		if got := flatHome("h", 100, c.wh).regular(100 * dayTicks); got != c.why {
			t.Errorf("%s: left out for %q, want %q", c.name, got, c.why)
		}
	}
}

func TestHomesLeftOutAreCountedByReason(t *testing.T) {
	homes := []*home{
		flatHome("long", 100, func(i int) uint32 { return lived(i, 0, 0) }),
		flatHome("short", 45, func(i int) uint32 { return lived(i, 0, 0) }),
		flatHome("ended", 90, func(i int) uint32 { return lived(i, 0, 0) }),
		flatHome("idle", 100, func(int) uint32 { return 1 }),
	}
	judged, left, err := choose(homes, nil, ticksIn(testWarmup))
	if err != nil {
		t.Fatal(err)
	}
	if len(judged) != 1 || !judged[homes[0]] || !slices.Equal(left, []LeftOut{{leftShort, 1}, {leftMissing, 1}, {leftLittle, 1}}) {
		t.Errorf("%d judged, %v", len(judged), left)
	}
	homes[3].meters = []string{"meter-of-idle"}
	judged, left, err = choose(homes, []string{"meter-of-idle", "short"}, ticksIn(testWarmup))
	if err != nil {
		t.Fatal(err)
	}
	if len(judged) != 1 || !judged[homes[3]] || !slices.Equal(left, []LeftOut{{leftList, 2}, {leftShort, 1}}) {
		t.Errorf("%d judged, %v", len(judged), left)
	}
	if _, _, err = choose(homes, []string{"nobody"}, 0); err == nil || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("a home without readings: %v", err)
	}
}

// TestTheRuleFindsTheDevelopmentHomes is not exact, since the list was made
// by somebody else's program and its nights' level is not written down.
func TestTheRuleFindsTheDevelopmentHomes(t *testing.T) {
	feed, regular := london(t)
	homes, _, err := readHomes(feed, intake.Open{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	judged, left, err := choose(homes, nil, ticksIn(testWarmup))
	if err != nil {
		t.Fatal(err)
	}
	both := 0
	for h := range judged {
		if slices.Contains(regular, h.id) {
			both++
		}
	}
	t.Logf("%d picked, %d of them among the %d of the list; left out: %s", len(judged), both, len(regular), describeLeft(left))
	if both < 37 || len(judged) > 41 {
		t.Errorf("%d picked, %d of them among the %d of the list", len(judged), both, len(regular))
	}
}
