package alerts

import (
	"fmt"
	"slices"

	"weimang/detectors"
)

// BadRecord is one record of a batch that can never be handled.
type BadRecord struct {
	Index int // in the batch
	Err   error
}

// BadRecordsError says which records of a batch cannot be used. All others of
// the batch have been handled and are durable, so the caller puts these into
// the dead letters and goes on.
type BadRecordsError struct {
	Records []BadRecord
}

func (e *BadRecordsError) Error() string {
	first := e.Records[0]
	if len(e.Records) == 1 {
		return fmt.Sprintf("record %d of the batch cannot be used: %v", first.Index, first.Err)
	}
	return fmt.Sprintf("%d records of the batch cannot be used, the first (%d): %v", len(e.Records), first.Index, first.Err)
}

// Unwrap gives the single errors.
func (e *BadRecordsError) Unwrap() []error {
	errs := make([]error, len(e.Records))
	for i, r := range e.Records {
		errs[i] = r.Err
	}
	return errs
}

// check refuses a finding that no alert can be made of.
func check(f *detectors.Finding) error {
	switch {
	case f.HouseholdID == "" && f.AreaID == "":
		return fmt.Errorf("finding names neither household nor area")
	case !slices.Contains(detectors.Kinds, f.Kind):
		return fmt.Errorf("finding of unknown kind %q", f.Kind)
	case f.Severity < detectors.Blue || f.Severity > detectors.Red:
		return fmt.Errorf("finding without severity")
	case f.State != detectors.Open && f.State != detectors.Update && f.State != detectors.Resolved:
		return fmt.Errorf("finding in unknown state %q", f.State)
	case f.Seq < 1:
		return fmt.Errorf("finding with sequence %d", f.Seq)
	case f.Onset.IsZero() || f.At.IsZero() || f.DecidedAt.IsZero():
		return fmt.Errorf("finding without its times")
	}
	return nil
}
