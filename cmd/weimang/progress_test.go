package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// fakeTerminal is a progress whose clock moves by a second with each look.
func fakeTerminal(columns int) (*progress, *bytes.Buffer) {
	var out bytes.Buffer
	clock := time.Date(2026, 7, 12, 0, 0, 0, 0, time.UTC)
	return &progress{
		w: &out, label: "reading", last: clock,
		width: func() int { return columns },
		now:   func() time.Time { clock = clock.Add(time.Second); return clock },
	}, &out
}

func TestOnATerminalABarGrowsInPlace(t *testing.T) {
	p, out := fakeTerminal(80)
	p.set(50, 100, "1 MB")
	p.set(100, 100, "2 MB")
	p.clear()
	p.clear()
	want := "\rreading " + strings.Repeat("█", 12) + strings.Repeat("░", 12) + "  50% 1 MB\x1b[K" +
		"\rreading " + strings.Repeat("█", 24) + " 100% 2 MB\x1b[K" + "\r\x1b[K"
	if out.String() != want {
		t.Errorf("got %q\nwant %q", out, want)
	}
}

func TestANarrowTerminalIsNeverOverrun(t *testing.T) {
	for columns := 1; columns < 60; columns++ {
		p, out := fakeTerminal(columns)
		p.label = "回放"
		p.set(7, 10, "三组")
		line := strings.TrimSuffix(strings.TrimPrefix(out.String(), "\r"), "\x1b[K")
		used := 0
		for _, r := range line {
			if used++; r >= 0x2e80 {
				used++
			}
		}
		if used >= columns || !utf8.ValidString(line) {
			t.Errorf("%d columns: %q takes %d", columns, line, used)
		}
	}
}

func TestElsewhereAPlainLineComesNowAndThen(t *testing.T) {
	p, out := fakeTerminal(0)
	for i := range 65 { // a second each
		p.set(int64(i), 0, fmt.Sprintf("row %d", i))
	}
	p.clear()
	if got, want := out.String(), "reading row 29\nreading row 59\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestABufferIsNoTerminal(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out, "reading")
	p.set(1, 2, "")
	p.clear()
	if out.Len() != 0 {
		t.Errorf("quick work made a line: %q", &out)
	}
}
