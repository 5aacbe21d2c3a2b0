package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"weimang/ingest"
)

// answer is what is said about one refused record.
type answer struct {
	Line   int           `json:"line"`
	Reason ingest.Reason `json:"reason"`
	Field  string        `json:"field,omitempty"` // "" is the whole record
	Text   string        `json:"text"`
}

// answers prints an answer for each refused record and counts them.
type answers struct {
	w    io.Writer
	json bool
	what string // of records, for the summary

	good, bad  int
	byReason   map[ingest.Reason]int
	usualDelay *usualDelayAdvice // nil: none, the site's fits as far as can be seen
	err        error             // of writing
}

// judge takes the verdict on one record: nil, or an *ingest.Rejection.
func (a *answers) judge(line int, err error) {
	var rej *ingest.Rejection
	switch {
	case err == nil:
		a.good++
	case errors.As(err, &rej):
		a.refuse(answer{line, rej.Reason, rej.Field, rej.Text})
	default:
		a.refuse(answer{Line: line, Reason: ingest.BadField, Text: err.Error()})
	}
}

func (a *answers) refuse(x answer) {
	a.count(x.Reason, 1)
	if a.json {
		a.object(x)
		return
	}
	field := ""
	if x.Field != "" {
		field = x.Field + ": "
	}
	a.printf("line %d: %s: %s%s\n", x.Line, x.Reason, field, x.Text)
}

func (a *answers) count(reason ingest.Reason, n int) {
	if a.byReason == nil {
		a.byReason = make(map[ingest.Reason]int)
	}
	a.bad += n
	a.byReason[reason] += n
}

// finish prints the counts. The error is err, or says that records are bad.
func (a *answers) finish(path string, err error) error {
	if err != nil {
		return err
	}
	if a.json {
		byReason := a.byReason
		if byReason == nil {
			byReason = map[ingest.Reason]int{}
		}
		a.object(struct {
			Good     int                   `json:"good"`
			Bad      int                   `json:"bad"`
			ByReason map[ingest.Reason]int `json:"by_reason"`
			*usualDelayAdvice
		}{a.good, a.bad, byReason, a.usualDelay})
	} else {
		if a.usualDelay != nil {
			a.printf("%s\n", a.usualDelay.text)
		}
		a.printf("%s\n", a.summary())
	}
	switch {
	case a.err != nil:
		return fmt.Errorf("print the answers: %w", a.err)
	case a.bad > 0:
		return fmt.Errorf("%s: %d of %d %s would be refused", shownPath(path), a.bad, a.good+a.bad, a.what)
	case a.good == 0:
		return fmt.Errorf("%s: holds no %s", shownPath(path), a.what)
	}
	return nil
}

func (a *answers) summary() string {
	var reasons []string
	for _, reason := range ingest.Reasons {
		if n := a.byReason[reason]; n > 0 {
			reasons = append(reasons, fmt.Sprintf("%s %d", reason, n))
		}
	}
	s := fmt.Sprintf("%s: %d good, %d bad", a.what, a.good, a.bad)
	if len(reasons) > 0 {
		s += " (" + strings.Join(slices.Clip(reasons), ", ") + ")"
	}
	return s
}

func (a *answers) object(v any) {
	line, err := json.Marshal(v)
	if err != nil {
		a.err = err
		return
	}
	a.printf("%s\n", line)
}

func (a *answers) printf(format string, args ...any) {
	if _, err := fmt.Fprintf(a.w, format, args...); err != nil && a.err == nil {
		a.err = err
	}
}
