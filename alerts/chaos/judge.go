package chaos

import (
	"fmt"
	"time"

	"weimang/alerts"
	"weimang/alerts/deliver"
)

// Note is how a message stands in the store.
type Note struct {
	Status   deliver.Status
	Attempts int
}

// latest is how long after a message was taken its receipt may at most still be
// on its way into the store: beyond, it is not the kill that lost it.
const latest = 2 * time.Second

// unknown are the messages of a killed process that the store knows nothing of,
// or no attempt: they were sent before they were stored.
func unknown(taken []Delivery, worker string, notes map[string]Note) (wrong []string) {
	for _, d := range taken {
		if d.Worker != worker {
			continue
		}
		switch n, known := notes[d.ID]; {
		case !known:
			wrong = append(wrong, fmt.Sprintf("%s was sent before it was stored: the store knows nothing of it", d.ID))
		case n.Attempts == 0:
			wrong = append(wrong, fmt.Sprintf("%s was sent before the attempt was noted", d.ID))
		}
	}
	return wrong
}

// Twice counts messages that came more than once, by why nobody could avoid it.
type Twice struct {
	Withheld int // the vendor took the message and did not say so
	Cut      int // the sender was killed between the vendor's taking it and the noting of the receipt
}

// repeats judges messages that were taken more than once. Each time but the last
// must have been without a receipt that the sender could have noted.
func repeats(taken []Delivery) (twice Twice, wrong []string) {
	times := map[string][]Delivery{}
	for _, d := range taken {
		times[d.ID] = append(times[d.ID], d)
	}
	for id, ds := range times {
		for _, d := range ds[:len(ds)-1] {
			switch d.Receipt {
			case Withheld:
				twice.Withheld++
			case Cut:
				twice.Cut++
			case Given:
				wrong = append(wrong, fmt.Sprintf("%s came %d times although %s had its receipt", id, len(ds), d.Worker))
			}
		}
	}
	return twice, wrong
}

// missing says what of the store's messages the vendor never got, and which are
// not sent.
func missing(taken []Delivery, notes map[string]Note) (wrong []string) {
	got := map[string]bool{}
	for _, d := range taken {
		got[d.ID] = true
	}
	for id, n := range notes {
		switch {
		case n.Status != deliver.Sent:
			wrong = append(wrong, fmt.Sprintf("%s is %s after %d attempts", id, n.Status, n.Attempts))
		case !got[id]:
			wrong = append(wrong, id+" counts as sent, and nobody got it")
		}
	}
	return wrong
}

// untold are the alerts of findings that nobody was told of and that were not
// over before somebody could be.
func untold(sent []string, all map[string]*alerts.Alert) (wrong []string) {
	for _, id := range sent {
		switch a := all[id]; {
		case a == nil:
			wrong = append(wrong, "of "+id+" there is no alert")
		case a.ToldAt.IsZero() && a.Open():
			wrong = append(wrong, id+" is open, and nobody was told")
		case a.Open() && a.LookAt.IsZero():
			wrong = append(wrong, id+" is open and has no next step")
		}
	}
	return wrong
}
