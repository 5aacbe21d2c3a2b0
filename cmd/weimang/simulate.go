package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"weimang/alerts/channels"
	"weimang/alerts/roster"
	"weimang/ingest/simulate"
)

// simulateOptions are the flags of simulate.
type simulateOptions struct {
	village    simulate.Options
	from, to   string
	story      bool
	without    []string
	out        string
	brokers    []string
	feed       string
	realtime   bool
	speed      float64
	partitions int
	configFile string
}

func newSimulateCmd() *cobra.Command {
	opt := simulateOptions{village: simulate.DefaultOptions()}
	cmd := &cobra.Command{
		Use:   "simulate (--out DIR | --brokers HOST:PORT,...)",
		Short: "Make up a village: readings, incidents and roster",
		Long: `Make up a village of old people living alone, built bottom-up from the
appliances of each home, with its own routines, absences and guests, and write
it to a folder, or send it to Kafka as a utility would. Same flags, same village.

--out writes readings.csv.gz, incidents.jsonl, households.csv and people.csv.

--brokers sends to weimang.readings and weimang.incidents: as fast as the
brokers take it, at --speed times the pace of time, or with --realtime each
reading when its interval is really over (what lies in the past first, at
once). Sending the same village again goes on where it was, and sends nothing
twice; --feed names it otherwise.`,
		Example: `  weimang simulate --out village
  weimang simulate --story --out story            the demo's May to July
  weimang simulate --households 3000 --areas 120 --from 2026-06-01 --to 2026-07-01 \
      --brokers 127.0.0.1:19092
  weimang simulate --realtime --brokers 127.0.0.1:19092`,
		GroupID: groupTry,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return opt.run(cmd.Context(), cmd)
		},
	}
	f := cmd.Flags()
	v := &opt.village
	f.StringVar(&opt.out, "out", "", "folder to write to, made if it does not exist")
	f.StringSliceVar(&opt.brokers, "brokers", nil, "Kafka brokers to send to")
	f.IntVar(&v.Households, "households", v.Households, "number of homes")
	f.IntVar(&v.Areas, "areas", v.Areas, "transformer areas they are divided among")
	f.StringVar(&opt.from, "from", "", "first day, or time with offset (default 2026-01-01; with --realtime now)")
	f.StringVar(&opt.to, "to", "", "day or time of the end, not included (default a year after --from)")
	f.DurationVar(&v.Interval, "interval", v.Interval, "15m, 30m or 1h")
	f.Uint64Var(&v.Seed, "seed", v.Seed, "another seed, another village in the same houses")
	f.StringVar(&v.Zone, "zone", v.Zone, "time zone (IANA name) of the village")
	f.StringVar(&v.Holidays, "holidays", v.Holidays, "who has guests when: set of holidays, none, cn or gb")
	f.Float64Var(&v.MissingRate, "missing", v.MissingRate, "share of readings that never arrive")
	f.Float64Var(&v.LateRate, "late", v.LateRate, "share that arrives up to twelve intervals late")
	f.Float64Var(&v.DuplicateRate, "duplicates", v.DuplicateRate, "share that arrives twice")
	f.BoolVar(&opt.story, "story", false, "the demo's village and events, May to July 2026; --seed, --without and the shares of readings change it")
	f.StringSliceVar(&opt.without, "without", nil, "leave events out of the story: "+strings.Join(simulate.StoryNames(), ", "))
	f.StringVar(&opt.feed, "feed", "", "name of what is sent (default: made from the other flags)")
	f.BoolVar(&opt.realtime, "realtime", false, "in step with the clock on the wall")
	f.Float64Var(&opt.speed, "speed", 0, "seconds of the village's time per second; 0 is as fast as possible")
	f.IntVar(&opt.partitions, "partitions", DefaultConfig().Kafka.Partitions, "of topics that do not exist yet")
	f.StringVarP(&opt.configFile, "config", "c", "", "configuration file whose section kafka says how to reach the brokers")
	cmd.MarkFlagsOneRequired("out", "brokers")
	cmd.MarkFlagsMutuallyExclusive("out", "brokers")
	cmd.MarkFlagsMutuallyExclusive("realtime", "speed")
	for _, flag := range []string{"households", "areas", "from", "to", "interval", "zone", "holidays", "realtime"} {
		cmd.MarkFlagsMutuallyExclusive("story", flag)
	}
	for _, flag := range []string{"feed", "realtime", "speed", "partitions", "config"} {
		cmd.MarkFlagsMutuallyExclusive("out", flag)
	}
	return cmd
}

func (o *simulateOptions) run(ctx context.Context, cmd *cobra.Command) error {
	if err := o.resolve(time.Now()); err != nil {
		return err
	}
	village, err := simulate.New(o.village)
	if err != nil {
		return usagef("%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	if o.out != "" {
		return o.writeVillage(ctx, village, cmd.OutOrStdout(), cmd.ErrOrStderr())
	}
	return o.sendVillage(ctx, village, cmd.ErrOrStderr())
}

// resolve completes the village's options from the other flags.
func (o *simulateOptions) resolve(now time.Time) error {
	v := &o.village
	if o.story {
		story, err := simulate.Story(v.Seed, o.without...)
		if err != nil {
			return usagef("--without: %v", err)
		}
		story.MissingRate, story.LateRate, story.DuplicateRate = v.MissingRate, v.LateRate, v.DuplicateRate
		*v = story
		return nil
	}
	if len(o.without) > 0 {
		return usagef("--without leaves events out of the story; it needs --story")
	}
	if o.speed < 0 {
		return usagef("--speed: %g is below zero", o.speed)
	}
	zone, err := loadZone(v.Zone)
	if err != nil {
		return usagef("--zone: %v", err)
	}
	from, err := parseMoment(o.from, zone)
	if err != nil {
		return usagef("--from: %v", err)
	}
	to, err := parseMoment(o.to, zone)
	if err != nil {
		return usagef("--to: %v", err)
	}
	switch {
	case !from.IsZero():
	case o.realtime && v.Interval > 0:
		from = now.In(zone).Truncate(v.Interval)
	default:
		from = time.Date(2026, time.January, 1, 0, 0, 0, 0, zone)
	}
	if to.IsZero() {
		to = from.AddDate(1, 0, 0)
	}
	v.Start, v.End = from, to
	return nil
}

// chairTitle stands where a person's name would: nobody is made up.
const chairTitle = "妇联主席"

func villagePeople(v *simulate.Village) []roster.Member {
	return []roster.Member{{
		Person: roster.Person{Name: chairTitle, Lang: roster.Chinese, Contacts: []roster.Contact{{Channel: channels.NameConsole}}},
		Duty:   roster.Duty{Role: roster.Chair, UnitID: v.Options().Village},
	}}
}

func describeVillage(w io.Writer, v *simulate.Village) {
	o := v.Options()
	fmt.Fprintf(w, "%d homes in %d areas, %s to %s, every %s, seed %d\n", o.Households, o.Areas,
		o.Start.Format(time.DateOnly), o.End.Format(time.DateOnly), shortDuration(o.Interval), o.Seed)
}
