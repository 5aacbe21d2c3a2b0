package bench

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"weimang/detectors"
	"weimang/ingest/contract"
)

// Format is how a feed is written.
type Format string

// Formats of a feed. All hold the same readings.
const (
	JSON     Format = "json"     // one reading a record
	Protobuf Format = "protobuf" // one reading a record
	Day      Format = "day"      // 96 readings of a meter a record, Protobuf
)

const (
	interval = 15 * time.Minute
	perDay   = int(24 * time.Hour / interval)
	// homesPerArea is about what hangs on a transformer in a village.
	homesPerArea = 25
)

// Options of a run.
type Options struct {
	Brokers    []string // host:port
	Prefix     string   // of topics and groups of this run, which are deleted after it
	Format     Format
	Households int
	// Readings is how many interval values are sent at least: it is rounded
	// up to whole intervals of all homes, or whole days with Day.
	Readings   int
	Partitions int // of the topics
	Params     detectors.Params
	Limits     contract.Limits   // zero: contract.DefaultLimits()
	Stage      func(name string) // told of each stage as it begins; nil: nobody is
	Logger     *slog.Logger      // nil: silent
}

// Validate says what is wrong with the options.
func (o *Options) Validate() error {
	var errs []error
	switch o.Format {
	case JSON, Protobuf, Day:
	default:
		errs = append(errs, fmt.Errorf("format %q must be %s, %s or %s", o.Format, JSON, Protobuf, Day))
	}
	if o.Households < 1 || o.Households > 10_000_000 {
		errs = append(errs, fmt.Errorf("%d households: 1 to 10,000,000 can be made up", o.Households))
	}
	if o.Readings < 1 {
		errs = append(errs, fmt.Errorf("%d readings: at least one is needed", o.Readings))
	}
	if o.Partitions < 1 {
		errs = append(errs, fmt.Errorf("%d partitions: at least one is needed", o.Partitions))
	}
	if len(o.Brokers) == 0 || o.Prefix == "" {
		errs = append(errs, errors.New("brokers and a prefix are needed"))
	}
	return errors.Join(errs...)
}

// fill sets what was left out to what it stands for.
func (o *Options) fill() {
	if o.Limits == (contract.Limits{}) {
		o.Limits = contract.DefaultLimits()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Stage == nil {
		o.Stage = func(string) {}
	}
}

// intervals is how many are sent of each home.
func (o *Options) intervals() int {
	n := (o.Readings + o.Households - 1) / o.Households
	if o.Format == Day {
		n = (n + perDay - 1) / perDay * perDay
	}
	return n
}

// Result is what a run has measured. CPU is that of this process, user and
// system, in seconds per million readings; rates are readings a second of wall
// time. A reading is one interval value, also in a block.
type Result struct {
	Format     Format `json:"format"`
	Households int    `json:"households"`
	Readings   int    `json:"readings"` // as sent
	Partitions int    `json:"partitions"`
	Cores      int    `json:"cores"` // GOMAXPROCS

	// Raw is kafka-go fetching and unpacking the records of weimang.readings,
	// and nothing else.
	RawPerS    float64 `json:"raw_per_s"`
	RawCPUPerM float64 `json:"raw_cpu_s_per_m"`
	// Decoded is our reader, with each record decoded and checked.
	DecodedPerS    float64 `json:"decoded_per_s"`
	DecodedCPUPerM float64 `json:"decoded_cpu_s_per_m"`
	// EndToEnd is ingest and detect at once, from the first reading taken
	// until findings, a checkpoint of every area and all offsets are
	// acknowledged.
	EndToEndPerS    float64 `json:"end_to_end_per_s"`
	EndToEndCPUPerM float64 `json:"end_to_end_cpu_s_per_m"`

	AllocPerReading    float64 `json:"alloc_per_reading"`            // heap allocations, end to end
	CheckpointBytes    float64 `json:"checkpoint_bytes_per_reading"` // of states, before compression, end to end
	BytesPerHousehold  float64 `json:"bytes_per_household"`          // live heap of detection at the end, all states in memory
	Findings           int     `json:"findings"`                     // transitions
	RestoreS           float64 `json:"restore_s"`                    // another worker, from its assignment until all partitions are restored
	RestoreRawS        float64 `json:"restore_raw_s"`                // kafka-go reading weimang.checkpoints, and nothing else
	RestoreStoredBytes int64   `json:"restore_bytes"`                // of the checkpoints read, unpacked
}
