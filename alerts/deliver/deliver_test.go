package deliver_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"weimang/alerts"
	"weimang/alerts/deliver"
	"weimang/alerts/roster"
	"weimang/detectors"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// box is an outbox in memory with the rules of the store's.
type box struct {
	mu       sync.Mutex
	rows     []*row
	records  []deliver.TopicItem
	failures int // of Due, before it works
}

type row struct {
	deliver.Item
	due     time.Time
	outcome deliver.Outcome
}

func (b *box) put(m alerts.Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m.CreatedAt = time.Now()
	if m.Deadline.IsZero() {
		m.Deadline = m.CreatedAt.Add(time.Hour)
	}
	if m.Channel == "" {
		m.Channel = "test"
	}
	n := int64(len(b.rows) + 1)
	m.ID = fmt.Sprint("message-", n)
	b.rows = append(b.rows, &row{Item: deliver.Item{N: n, Message: m}, due: m.CreatedAt, outcome: deliver.Outcome{Status: deliver.Waiting}})
}

func (b *box) row(n int64) *row { return b.rows[n-1] }

func (b *box) Due(_ context.Context, channel string, now time.Time, limit int) (items []deliver.Item, _ error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures > 0 {
		b.failures--
		return nil, errors.New("store is away")
	}
	for _, r := range b.rows {
		if r.Message.Channel == channel && r.outcome.Status == deliver.Waiting && !r.due.After(now) {
			items = append(items, r.Item)
		}
	}
	slices.SortStableFunc(items, func(x, y deliver.Item) int { return cmp.Compare(x.Message.Rank, y.Message.Rank) })
	return items[:min(limit, len(items))], nil
}

func (b *box) NextDue(_ context.Context, channel string) (next time.Time, _ error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.rows {
		if r.Message.Channel == channel && r.outcome.Status == deliver.Waiting && (next.IsZero() || r.due.Before(next)) {
			next = r.due
		}
	}
	return next, nil
}

func (b *box) Begin(_ context.Context, n int64, at, lease time.Time) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.row(n).due.After(at) {
		return false, nil
	}
	b.row(n).Attempts++
	b.row(n).due = lease
	return true, nil
}

func (b *box) Finish(_ context.Context, it deliver.Item, out deliver.Outcome) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.row(it.N).outcome, b.row(it.N).due = out, out.RetryAt
	return nil
}

func (b *box) Stranded(_ context.Context, known []string, now time.Time) (items []deliver.Item, _ error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.rows {
		if r.outcome.Status == deliver.Waiting && (!slices.Contains(known, r.Message.Channel) || r.Message.Deadline.Before(now)) {
			items = append(items, r.Item)
		}
	}
	return items, nil
}

func (b *box) Records(_ context.Context, limit int) ([]deliver.TopicItem, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.records[:min(limit, len(b.records))]), nil
}

func (b *box) Published(_ context.Context, upTo int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.records = slices.DeleteFunc(b.records, func(it deliver.TopicItem) bool { return it.N <= upTo })
	return nil
}

func (b *box) Depth(context.Context) (messages, records int, _ error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.rows {
		if r.outcome.Status == deliver.Waiting {
			messages++
		}
	}
	return messages, len(b.records), nil
}

// sender is a channel that answers as told and remembers when it was asked.
type sender struct {
	mu     sync.Mutex
	answer func(n int, m alerts.Message) (bool, error) // n counts from 1
	asked  []time.Time
	titles []string
}

func (s *sender) Send(ctx context.Context, m alerts.Message) (bool, error) {
	s.mu.Lock()
	s.asked = append(s.asked, time.Now())
	s.titles = append(s.titles, m.Title)
	n := len(s.asked)
	s.mu.Unlock()
	if s.answer == nil {
		return false, nil
	}
	retry, err := s.answer(n, m)
	if errors.Is(err, errHangs) {
		<-ctx.Done()
		return true, ctx.Err()
	}
	return retry, err
}

var (
	errBusy  = errors.New("busy")
	errHangs = errors.New("hangs")
)

// run starts a deliverer inside a bubble and stops it at the end.
func run(t *testing.T, b *box, channels map[string]deliver.Channel, p deliver.Publisher, o deliver.Options) (*deliver.Deliverer, *prometheus.Registry) {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	d := deliver.New(b, channels, p, o, slog.New(slog.DiscardHandler), reg)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run ended with %v", err)
		}
	})
	return d, reg
}

func one(s *sender) map[string]deliver.Channel { return map[string]deliver.Channel{"test": s} }

func TestAMessageGoesOutWhenTheDelivererIsWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := &box{}, &sender{}
		d, _ := run(t, b, one(s), nil, deliver.Options{Tick: time.Hour})
		synctest.Wait() // asleep until the tick
		b.put(alerts.Message{})
		start := time.Now()
		d.Wake()
		synctest.Wait()
		if len(s.asked) != 1 || !s.asked[0].Equal(start) {
			t.Errorf("asked at %v, want at once", s.asked)
		}
		if ok, err := d.Drained(t.Context()); !ok || err != nil {
			t.Errorf("drained: %v, %v", ok, err)
		}
	})
}

func TestAMessageGoesOutAtTheTickWithoutAWakeUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := &box{}, &sender{}
		run(t, b, one(s), nil, deliver.Options{Tick: 5 * time.Second})
		synctest.Wait()
		b.put(alerts.Message{})
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if len(s.asked) != 1 {
			t.Errorf("asked %d times, want once", len(s.asked))
		}
	})
}

func TestAFailingChannelIsTriedAgainWithGrowingPausesUntilItRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sender{answer: func(n int, _ alerts.Message) (bool, error) {
			if n < 5 {
				return true, errBusy
			}
			return false, nil
		}}
		b := &box{}
		b.put(alerts.Message{})
		d, reg := run(t, b, one(s), nil, deliver.Options{MinBackoff: 2 * time.Second, MaxBackoff: 8 * time.Second})
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(s.asked) != 5 {
			t.Fatalf("asked %d times, want 5", len(s.asked))
		}
		for i, want := range []time.Duration{2, 4, 8, 8} { // seconds, at most; half of it at least
			pause := s.asked[i+1].Sub(s.asked[i])
			if pause > want*time.Second || pause < want*time.Second/2 {
				t.Errorf("pause %d was %v, want %d s or down to half of it", i+1, pause, want)
			}
		}
		if got := b.row(1); got.Attempts != 5 || got.outcome.Status != deliver.Sent {
			t.Errorf("row: %d attempts, %s", got.Attempts, got.outcome.Status)
		}
		if ok, _ := d.Drained(t.Context()); !ok {
			t.Error("not drained")
		}
		want := `
# HELP weimang_messages_total Attempts to deliver a message, by channel and result: sent, retry or dead
# TYPE weimang_messages_total counter
weimang_messages_total{channel="test",result="dead"} 0
weimang_messages_total{channel="test",result="retry"} 4
weimang_messages_total{channel="test",result="sent"} 1
weimang_messages_total{channel="unknown",result="dead"} 0
weimang_messages_total{channel="unknown",result="retry"} 0
weimang_messages_total{channel="unknown",result="sent"} 0
`
		if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "weimang_messages_total"); err != nil {
			t.Error(err)
		}
		if problems, err := testutil.GatherAndLint(reg); err != nil || len(problems) > 0 {
			t.Errorf("lint: %v %v", problems, err)
		}
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sender{answer: func(n int, _ alerts.Message) (bool, error) {
			if n == 1 {
				return true, &deliver.RetryAfterError{After: 10 * time.Minute, Err: errBusy}
			}
			return false, nil
		}}
		b := &box{}
		b.put(alerts.Message{})
		run(t, b, one(s), nil, deliver.Options{})
		time.Sleep(11 * time.Minute)
		synctest.Wait()
		if len(s.asked) != 2 || s.asked[1].Sub(s.asked[0]) != 10*time.Minute {
			t.Errorf("asked at %v, want twice, ten minutes apart", s.asked)
		}
	})
}

func TestARestOfDaysIsCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sender{answer: func(n int, _ alerts.Message) (bool, error) {
			if n == 1 {
				return true, &deliver.RetryAfterError{After: 48 * time.Hour, Err: errBusy}
			}
			return false, nil
		}}
		b := &box{}
		b.put(alerts.Message{})
		run(t, b, one(s), nil, deliver.Options{})
		time.Sleep(61 * time.Minute)
		synctest.Wait()
		if got := b.row(1).outcome; got.Status != deliver.Sent {
			t.Errorf("after an hour: %+v, want sent", got)
		}
	})
}

// A webhook that is down is heard of at once but only once, and when it is back.
func TestAChannelThatFailsIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sender{answer: func(n int, _ alerts.Message) (bool, error) { return n < 4, map[bool]error{true: errBusy}[n < 4] }}
		b := &box{}
		b.put(alerts.Message{})
		var log bytes.Buffer
		d := deliver.New(b, one(s), nil, deliver.Options{}, slog.New(slog.NewTextHandler(&log, nil)), prometheus.NewRegistry())
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- d.Run(ctx) }()
		time.Sleep(time.Minute)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run ended with %v", err)
		}
		for text, n := range map[string]int{"messages are held up": 1, errBusy.Error(): 1, "messages go out again": 1} {
			if got := strings.Count(log.String(), text); got != n {
				t.Errorf("%q is logged %d times, want %d:\n%s", text, got, n, &log)
			}
		}
	})
}

func TestDeadEnds(t *testing.T) {
	for _, tc := range []struct {
		name    string
		message alerts.Message
		answer  func(int, alerts.Message) (bool, error)
		asked   int
	}{
		{"a refusal is not tried again", alerts.Message{}, func(int, alerts.Message) (bool, error) { return false, errBusy }, 1},
		{"an unknown channel is given up at once", alerts.Message{Channel: "pigeon"}, nil, 0},
		{
			"no retry is planned past the deadline",
			alerts.Message{Deadline: time.Date(2000, 1, 1, 0, 0, 10, 0, time.UTC)},
			func(int, alerts.Message) (bool, error) {
				return true, &deliver.RetryAfterError{After: time.Minute, Err: errBusy}
			}, 1,
		},
		{"a message past its deadline is not sent", alerts.Message{Deadline: time.Date(1999, 12, 31, 0, 0, 0, 0, time.UTC)}, nil, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // the bubble's clock starts on 1 January 2000
				s, b := &sender{answer: tc.answer}, &box{}
				b.put(tc.message)
				d, _ := run(t, b, one(s), nil, deliver.Options{})
				time.Sleep(time.Minute)
				synctest.Wait()
				if len(s.asked) != tc.asked {
					t.Errorf("asked %d times, want %d", len(s.asked), tc.asked)
				}
				if got := b.row(1).outcome; got.Status != deliver.Dead || got.Error == "" {
					t.Errorf("outcome %+v, want dead with a reason", got)
				}
				if ok, _ := d.Drained(t.Context()); !ok {
					t.Error("a dead message keeps the outbox from being drained")
				}
			})
		})
	}
}

func TestAHangingChannelHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := &sender{answer: func(int, alerts.Message) (bool, error) { return true, errHangs }}
		works := &sender{}
		b := &box{}
		b.put(alerts.Message{Channel: "hangs"})
		b.put(alerts.Message{Channel: "works"})
		start := time.Now()
		run(t, b, map[string]deliver.Channel{"hangs": hangs, "works": works}, nil, deliver.Options{SendTimeout: 10 * time.Second})
		synctest.Wait()
		if len(works.asked) != 1 {
			t.Error("a channel waited for another one")
		}
		time.Sleep(12 * time.Second)
		synctest.Wait()
		if len(hangs.asked) < 2 || hangs.asked[1].Sub(start) < 10*time.Second {
			t.Errorf("the hanging attempt was not ended by its time limit: asked at %v", hangs.asked)
		}
	})
}

func TestFirstContactIsSentAheadOfFollowUps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := &box{}, &sender{}
		b.put(alerts.Message{Title: "clear", Rank: alerts.AllClear})
		b.put(alerts.Message{Title: "follow", Rank: alerts.FollowUp})
		b.put(alerts.Message{Title: "first", Rank: alerts.FirstContact})
		run(t, b, one(s), nil, deliver.Options{Concurrency: 1})
		synctest.Wait()
		if want := []string{"first", "follow", "clear"}; !slices.Equal(s.titles, want) {
			t.Errorf("sent in order %v, want %v", s.titles, want)
		}
	})
}

func TestAMessageUnderWayAtTheStopIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sender{answer: func(int, alerts.Message) (bool, error) { return true, errHangs }}
		b := &box{}
		b.put(alerts.Message{})
		ctx, cancel := context.WithCancel(t.Context())
		d := deliver.New(b, one(s), nil, deliver.Options{}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
		done := make(chan error)
		go func() { done <- d.Run(ctx) }()
		synctest.Wait()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run ended with %v", err)
		}
		if got := b.row(1); got.outcome.Status != deliver.Waiting || got.due.After(time.Now()) {
			t.Errorf("after the stop: %+v, want waiting and due", got.outcome)
		}
	})
}

func TestAStoreThatIsAwayIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := &box{failures: 4}, &sender{}
		b.put(alerts.Message{})
		run(t, b, one(s), nil, deliver.Options{})
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(s.asked) != 1 {
			t.Errorf("asked %d times, want once after the store is back", len(s.asked))
		}
	})
}

// broker takes records, failing the first times.
type broker struct {
	failures int
	got      []string
}

func (p *broker) Publish(_ context.Context, records []alerts.Record) error {
	if p.failures > 0 {
		p.failures--
		return errBusy
	}
	for _, r := range records {
		p.got = append(p.got, r.ID)
	}
	return nil
}

func TestTransitionsArePublishedInOrderAfterTheBrokerRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, p := &box{}, &broker{failures: 3}
		for i := range 7 {
			b.records = append(b.records, deliver.TopicItem{N: int64(i + 1), Record: alerts.Record{ID: fmt.Sprint(i + 1)}})
		}
		d, _ := run(t, b, nil, p, deliver.Options{Records: 3})
		time.Sleep(time.Minute)
		synctest.Wait()
		if want := []string{"1", "2", "3", "4", "5", "6", "7"}; !slices.Equal(p.got, want) {
			t.Errorf("published %v", p.got)
		}
		if ok, _ := d.Drained(t.Context()); !ok {
			t.Error("not drained")
		}
	})
}

func message() alerts.Message {
	at := time.Date(2026, 7, 12, 4, 0, 0, 0, time.UTC)
	return alerts.Message{
		ID: "h1/42#1:p1:console", AlertID: "h1/42", Seq: 1, To: alerts.Recipient{PersonID: "p1", Role: roster.Chair}, Channel: "console",
		Lang: roster.Chinese, Kind: detectors.Shortfall, Severity: detectors.Orange, State: detectors.Open, HouseholdID: "h1", Label: "3组12号",
		AreaID: "a1", Onset: at, DecidedAt: at, Title: "请今天去看看：3组12号", Text: "第一行\n第二行", URL: "http://x/household/h1", Address: "13800000000",
	}
}
