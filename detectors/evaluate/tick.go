package evaluate

import "time"

// tick is a time in quarter-hours since 1970, the shortest interval there is.
type tick int64

const (
	tickLen   = 15 * time.Minute
	hourTicks = tick(time.Hour / tickLen)
	dayTicks  = 24 * hourTicks
)

func tickOf(t time.Time) tick            { return tick(t.Unix() / int64(tickLen/time.Second)) }
func ticksIn(d time.Duration) tick       { return tick(d / tickLen) }
func (t tick) time() time.Time           { return time.Unix(int64(t)*int64(tickLen/time.Second), 0).UTC() }
func (t tick) duration() time.Duration   { return time.Duration(t) * tickLen }
func (t tick) hours() float64            { return float64(t) / float64(hourTicks) }
func (t tick) in(l *time.Location) local { return localOf(t.time().In(l)) }
func localOf(t time.Time) local          { return local{t.YearDay(), t.Hour(), t.Minute()} }
func (l local) minutes() int             { return l.hour*60 + l.minute }

// local is a time of day where the home is.
type local struct{ day, hour, minute int }
