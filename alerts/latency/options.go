package latency

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"weimang/ingest/stream"
)

// Options of a run.
type Options struct {
	// Client reaches the topics of the system.
	Client     *stream.Client
	Partitions int // of weimang.inputs
	Households int
	Rate       int           // readings a second under load
	Load       time.Duration // how long they are sent
	Idle       time.Duration // how long next to nothing is sent before
	// ProbeEvery is the time between two probes of a kind.
	ProbeEvery time.Duration
	// CPU tells the CPU time that the system has used so far, in seconds. nil:
	// not known.
	CPU    func(context.Context) (float64, error)
	Stage  func(name string) // told of each stage as it begins; nil: nobody is
	Logger *slog.Logger      // nil: silent
}

const (
	interval = 15 * time.Minute
	// homesPerArea is about what hangs on a transformer in a village.
	homesPerArea = 25
	// areasPerVillage is how many of them have one chair.
	areasPerVillage = 20
	// preface is how many intervals of all homes are sent before anything is
	// measured: afterwards every state exists, and what each home draws at the
	// most is known, which probes need.
	preface = 2
	// spare is by how many intervals the usual delay is longer than the feed.
	spare = 8
	// longestDelay is the usual delay that a site may set.
	longestDelay = 72 * time.Hour
)

// Validate says what is wrong with the options.
func (o *Options) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if o.Households < 1 || o.Rate < 1 || o.Partitions < 1 {
		bad("%d households, %d readings a second and %d partitions: at least one of each is needed", o.Households, o.Rate, o.Partitions)
	}
	if o.Load <= 0 || o.Idle < 0 || o.ProbeEvery <= 0 {
		bad("%v of load, %v of idling and %v between probes: times must be above 0", o.Load, o.Idle, o.ProbeEvery)
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	if need := o.readingProbes(); o.areas() < need {
		bad("%d households are %d areas, and %d probes need one each: take %d households or more, or fewer probes",
			o.Households, o.areas(), need, need*homesPerArea)
	}
	if d := o.UsualDelay(); d > longestDelay {
		bad("%d readings of each home are %v, more than a site's usual delay may be (%v): take more households, or less load",
			o.intervals(), d, longestDelay)
	}
	return errors.Join(errs...)
}

func (o *Options) areas() int { return (o.Households + homesPerArea - 1) / homesPerArea }

// readingProbes is how many readings are probes at the most, one an area: for
// a day after it a home cannot be one again. One for each partition ends the
// preface.
func (o *Options) readingProbes() int {
	return o.Partitions + int((o.Idle+o.Load)/o.ProbeEvery) + 2
}

// idleRate is one area's interval for each probe: so little that nothing waits.
func (o *Options) idleRate() int {
	return max(1, int(homesPerArea*time.Second/o.ProbeEvery))
}

// intervals is how many are sent of each home at the most.
func (o *Options) intervals() int {
	n := float64(o.Rate)*o.Load.Seconds() + float64(o.idleRate())*o.Idle.Seconds()
	return preface + int(n)/o.Households + 2
}

// UsualDelay is the feed.usual_delay that the system must have. The feed is
// some hours of every home within a minute or so; with a delay shorter than
// that, each interval would pass as overdue with the first home that reports
// it, and every other home's reading as a correction.
func (o *Options) UsualDelay() time.Duration {
	return time.Duration(o.intervals()+spare) * interval
}
