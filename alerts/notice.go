package alerts

import (
	"time"

	"weimang/alerts/roster"
	"weimang/detectors"
)

// Notice is everything a text is written from.
type Notice struct {
	Finding  *detectors.Finding
	Label    string         // of the household; "" for an area's notice
	Village  string         // name
	Homes    []string       // area's notice: labels of the village's homes there
	Zone     *time.Location // in which times are told; nil is UTC
	Now      time.Time      // against which "today" is told; zero is Finding.DecidedAt
	Fallback bool           // for the operator, since the village has no chair
}

// Text is a worded notice. Body is some short lines that can be read aloud.
type Text struct {
	Title string
	Body  string
}

// Wording words a notice (see folder message).
type Wording interface {
	Text(lang roster.Lang, n Notice) (Text, error)
}
