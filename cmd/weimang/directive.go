package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/intake"
	"weimang/ingest/stream"
)

// directiveOptions are the flags of directive; away and mute have a period,
// outcome has what was found, consent neither.
type directiveOptions struct {
	brokerFlags
	kind      ingest.DirectiveKind
	id        string
	household string
	from      string // date or RFC 3339; "" is now
	until     string // "" is open
	found     string
	dryRun    bool
}

func newDirectiveCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "directive",
		Short: "Tell what is known of a home: away, mute, what a visit has found, consent",
		Long: `Sends one directive about a household to weimang.directives, as another system
could. It takes effect with the next readings and survives restarts.

What was said is changed by saying it again with the same --id; an away or mute
whose --until is not after its --from is taken back, as is an outcome with
--found retracted. When consent is withdrawn the home is watched no more from that
moment on, what is known of it is forgotten, and its readings are passed over
until consent is given again.`,
		Example: `  weimang directive away --household h-0042 --from 2026-07-12 --until 2026-07-20
  weimang directive mute --household h-0042 --until 2026-07-13T18:00:00+08:00
  weimang directive outcome --household h-0007 --found new-normal
  weimang directive consent-withdrawn --household h-0007
  weimang directive away --household h-0042 --from 2026-07-12 --dry-run`,
		GroupID: groupRun,
		Args:    knownCommand,
		RunE: func(*cobra.Command, []string) error {
			return usagef("say what is known: %s", kinds())
		},
	}
	cmd.AddCommand(
		newDirectiveKindCmd(ingest.Away, "Nobody is there: do not tell that the home is still"),
		newDirectiveKindCmd(ingest.Mute, "Do not tell of this home, whoever is there"),
		newDirectiveKindCmd(ingest.Outcome, "What a visit or a call has found"),
		newDirectiveKindCmd(ingest.ConsentWithdrawn, "The person does not want to be watched: forget the home, at once"),
		newDirectiveKindCmd(ingest.ConsentGiven, "The person wants to be watched again, from nothing"),
	)
	return cmd
}

func newDirectiveKindCmd(kind ingest.DirectiveKind, short string) *cobra.Command {
	opt := directiveOptions{kind: kind}
	cmd := &cobra.Command{
		Use:   string(kind),
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return opt.run(cmd.Context(), time.Now(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	opt.flags(cmd)
	f.StringVar(&opt.household, "household", "", "id of the household, as in the list of households")
	f.StringVar(&opt.id, "id", "", "id of the directive; that of an earlier one replaces it (default: a new one)")
	switch kind {
	case ingest.Outcome:
		f.StringVar(&opt.found, "found", "", "what was found: "+outcomes())
		_ = cmd.MarkFlagRequired("found")
	case ingest.Away, ingest.Mute:
		f.StringVar(&opt.from, "from", "", "since when, or from when on: date, or time with offset (default now)")
		f.StringVar(&opt.until, "until", "", "until when: date (its beginning), or time with offset; an absence may leave it out")
	}
	f.BoolVar(&opt.dryRun, "dry-run", false, "print the record and send nothing")
	_ = cmd.MarkFlagRequired("household")
	return cmd
}

// kinds lists what can be known.
func kinds() string {
	var words []string
	for _, kind := range ingest.DirectiveKinds {
		words = append(words, string(kind))
	}
	return strings.Join(words, ", ")
}

// outcomes lists what can be found, for the help.
func outcomes() string {
	var words []string
	for _, cause := range ingest.OutcomeCauses {
		words = append(words, string(cause))
	}
	return strings.Join(words, ", ")
}

// directive is the record that the flags ask for, said at now; dates without
// time begin in zone.
func (o *directiveOptions) directive(now time.Time, zone *time.Location) (ingest.Directive, error) {
	d := ingest.Directive{
		ID: o.id, HouseholdID: o.household, Kind: o.kind, Outcome: ingest.OutcomeCause(o.found), IssuedAt: now.UTC().Truncate(time.Second),
	}
	if d.ID == "" {
		d.ID = newDirectiveID()
	}
	if o.kind != ingest.Away && o.kind != ingest.Mute {
		return d, nil
	}
	var err error
	if d.From, err = parseMoment(o.from, zone); err != nil {
		return d, usagef("--from: %v", err)
	}
	if d.From.IsZero() {
		d.From = d.IssuedAt
	}
	if d.Until, err = parseMoment(o.until, zone); err != nil {
		return d, usagef("--until: %v", err)
	}
	if o.id == "" && !d.Until.IsZero() && !d.Until.After(d.From) {
		return d, usagef("--until: %s is not after %s, so nothing would be said; to take a directive back, name it by --id",
			d.Until.Format(time.RFC3339), d.From.In(d.Until.Location()).Format(time.RFC3339))
	}
	return d, nil
}

func (o *directiveOptions) run(ctx context.Context, now time.Time, stdout, stderr io.Writer) error {
	cfg, err := o.load()
	if err != nil {
		return err
	}
	zone, err := loadZone(cfg.Roster.Zone)
	if err != nil {
		return err
	}
	d, err := o.directive(now, zone)
	if err != nil {
		return err
	}
	value := contract.EncodeDirective(&d)
	if _, err := contract.DecodeDirective(contract.JSON, value); err != nil {
		return usagef("%v", err) // what ingest would refuse is not sent
	}
	if !o.dryRun {
		if err := o.send(ctx, cfg, &d, stderr); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(stdout, "%s\n", value)
	return err
}

// send writes the directive behind what was said of the household before.
func (o *directiveOptions) send(ctx context.Context, cfg *Config, d *ingest.Directive, stderr io.Writer) error {
	client, err := dialBrokers(ctx, cfg, stderr)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.EnsureTopics(ctx, stream.Topics(cfg.Kafka.Partitions, stream.Retention{})); err != nil {
		return err
	}
	if !cfg.Roster.Open {
		homes, err := intake.ReadRoster(ctx, client)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(homes, func(h ingest.Home) bool {
			return h.HouseholdID == d.HouseholdID && (h.Until.IsZero() || h.Until.After(d.IssuedAt))
		}) {
			return fmt.Errorf("household %s is not in the roster, so nobody watches it; nothing was sent", d.HouseholdID)
		}
	}
	return produceDirective(ctx, client, d)
}

func produceDirective(ctx context.Context, client *stream.Client, d *ingest.Directive) error {
	rec := stream.Record{Key: []byte(d.HouseholdID), Value: contract.EncodeDirective(d)}
	if err := stream.NewProducer(client).Produce(ctx, ingest.TopicDirectives, []stream.Record{rec}); err != nil {
		return fmt.Errorf("send the directive: %w", err)
	}
	return nil
}

// newDirectiveID names a directive that this program makes.
func newDirectiveID() string { return "cli-" + strings.ToLower(rand.Text()[:16]) }
