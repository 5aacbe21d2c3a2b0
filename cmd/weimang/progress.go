package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

const (
	redrawEvery = 100 * time.Millisecond // on a terminal
	tellEvery   = 30 * time.Second       // elsewhere, one plain line
	barWidth    = 24
)

// progress shows how far something has come: a bar on a terminal, a plain
// line now and then elsewhere, so that a log file stays readable. It is used
// by one goroutine at a time.
type progress struct {
	w     io.Writer
	width func() int // columns of the terminal; 0 is none
	now   func() time.Time

	label string
	last  time.Time
	drawn bool
}

// newProgress shows progress on w, with a bar when w is a terminal.
func newProgress(w io.Writer, label string) *progress {
	p := &progress{w: w, now: time.Now, label: label, width: func() int { return 0 }}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.width = func() int {
			columns, _, err := term.GetSize(int(f.Fd()))
			if err != nil || columns <= 0 {
				return 80
			}
			return columns
		}
	}
	p.last = p.now()
	return p
}

// set shows done of total with a short text behind it; a total of 0 is
// unknown.
func (p *progress) set(done, total int64, text string) {
	width, every := p.width(), tellEvery
	if width > 0 {
		every = redrawEvery
	}
	now := p.now()
	if now.Sub(p.last) < every {
		return
	}
	p.last = now
	if width == 0 {
		fmt.Fprintln(p.w, p.plain(done, total, text))
		return
	}
	// Return, text, erase the rest of the line. The last column stays free:
	// a character there would make some terminals go on to the next line.
	fmt.Fprintf(p.w, "\r%s\x1b[K", cut(p.bar(done, total, text), width-1))
	p.drawn = true
}

// clear takes the bar away, before other output or at the end.
func (p *progress) clear() {
	if p.drawn {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.drawn = false
	}
}

func (p *progress) plain(done, total int64, text string) string {
	line := p.label
	if total > 0 {
		line += fmt.Sprintf(" %d%%", percent(done, total))
	}
	return strings.TrimRight(line+" "+text, " ")
}

func (p *progress) bar(done, total int64, text string) string {
	if total <= 0 {
		return strings.TrimRight(p.label+" "+text, " ")
	}
	full := int(percent(done, total)) * barWidth / 100
	return strings.TrimRight(fmt.Sprintf("%s %s%s %3d%% %s", p.label,
		strings.Repeat("█", full), strings.Repeat("░", barWidth-full), percent(done, total), text), " ")
}

func percent(done, total int64) int64 {
	return min(max(int64(100*float64(done)/float64(total)), 0), 100)
}

// cut shortens s to a number of terminal columns; Chinese characters take two.
func cut(s string, columns int) string {
	used := 0
	for i, r := range s {
		wide := 1
		if r >= 0x1100 && (r <= 0x115f || r >= 0x2e80 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 ||
			r >= 0xf900 && r <= 0xfaff || r >= 0xfe30 && r <= 0xfe6f || r >= 0xff00 && r <= 0xff60 || r >= 0x1f300) {
			wide = 2
		}
		if used += wide; used > columns {
			return s[:i]
		}
	}
	return s
}
