package evaluate

import (
	"bytes"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"weimang/ingest"
	"weimang/ingest/feedfile"
	"weimang/ingest/intake"
	"weimang/ingest/simulate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// simulated is a simulated village as a utility would hand it over.
func simulated(homes, areas, days int, interval time.Duration) (*feedfile.Feed, intake.Roster, error) {
	opt := simulate.DefaultOptions()
	opt.Households, opt.Areas, opt.Interval = homes, areas, interval
	opt.Start = opt.Start.AddDate(0, 2, 0)
	opt.End = opt.Start.AddDate(0, 0, days)
	v, err := simulate.New(opt)
	if err != nil {
		return nil, nil, err
	}
	var b bytes.Buffer
	if err := feedfile.WriteReadings(&b, v.Blocks(time.Time{}, time.Time{})); err != nil {
		return nil, nil, err
	}
	feed, err := feedfile.ReadReadings(&b, feedfile.Options{})
	var roster []ingest.Home
	for _, h := range v.Homes() {
		roster = append(roster, h.Home)
	}
	return feed, intake.Fixed(roster), err
}

func villageFeed(t *testing.T, homes, areas, days int, interval time.Duration) (*feedfile.Feed, intake.Roster) {
	t.Helper()
	feed, roster, err := simulated(homes, areas, days, interval)
	if err != nil {
		t.Fatal(err)
	}
	return feed, roster
}

// village is a hundred days of ten homes, which no test changes.
var village = sync.OnceValue(func() []*home {
	feed, roster, err := simulated(10, 1, 100, 30*time.Minute)
	if err != nil {
		panic(err)
	}
	homes, _, err := readHomes(feed, roster, 0)
	if err != nil {
		panic(err)
	}
	for _, h := range homes {
		h.learnBases()
	}
	return homes
})

const (
	londonReadings = "../../../shared/data/lcl100_2013.csv.gz"
	londonHomes    = "../../../shared/data/regular-homes.txt"
)

// londonFeed is nil where there is none.
var londonFeed = sync.OnceValue(func() *feedfile.Feed {
	feed, err := feedfile.Open(londonReadings, feedfile.Options{})
	if err != nil {
		return nil
	}
	return feed
})

// london reads the development homes, or skips the test where they are not.
func london(t *testing.T) (feed *feedfile.Feed, regular []string) {
	t.Helper()
	if raceDetector || testing.Short() {
		t.Skip("the development readings are too many for -race and -short: tried on the simulated village only")
	}
	list, err := os.ReadFile(londonHomes)
	if err != nil {
		t.Skip("the development homes ../shared/data/regular-homes.txt are absent: tried on the simulated village only")
	}
	feed = londonFeed()
	if feed == nil {
		t.Skip("the development readings ../shared/data/lcl100_2013.csv.gz are absent: tried on the simulated village only")
	}
	return feed, strings.Fields(string(list))
}

var day0 = time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC)

// flatHome uses watts around the clock in UTC, as a function of the interval.
func flatHome(id string, days int, wh func(i int) uint32) *home {
	h := &home{id: id, meter: id, meters: []string{id}, loc: time.UTC, zone: "UTC", start: tickOf(day0), step: 2, unit: 1}
	for i := range days * 48 {
		h.wh = append(h.wh, wh(i))
	}
	h.learnBases()
	return h
}
