package fit

import (
	"fmt"
	"math"
)

// Set is labelled rows, as many of each slice as there are rows. The zero
// value is an empty set to which Add may be applied.
type Set struct {
	Inputs int       // numbers in a row
	X      []float32 // rows one after the other
	Y      []int     // the class of each row, from 0
	Group  []int     // the home of each row, from 0: no home is in two folds
	// Weight of each row. A row of no weight is not learned from, and scored
	// by CrossValidate all the same. Nil: all weigh 1.
	Weight []float32
}

// Add appends a copy of a row. All rows must be of one length.
func (s *Set) Add(x []float32, y, group int, weight float32) {
	if len(s.Y) == 0 {
		s.Inputs = len(x)
	}
	s.X = append(s.X, x...)
	s.Y, s.Group, s.Weight = append(s.Y, y), append(s.Group, group), append(s.Weight, weight)
}

// Len is the number of rows.
func (s *Set) Len() int { return len(s.Y) }

// Row is the inputs of row i, not a copy.
func (s *Set) Row(i int) []float32 { return s.X[i*s.Inputs : (i+1)*s.Inputs] }

func (s *Set) weight(i int) float64 {
	if s.Weight == nil {
		return 1
	}
	return float64(s.Weight[i])
}

// check says why no model can be fitted to s.
func (s *Set) check(classes int) error {
	n := s.Len()
	switch {
	case n == 0:
		return fmt.Errorf("there are no rows")
	case classes < 2:
		return fmt.Errorf("%d classes leave nothing to tell apart", classes)
	case s.Inputs < 1 || len(s.X) != n*s.Inputs:
		return fmt.Errorf("%d numbers are no %d rows of %d", len(s.X), n, s.Inputs)
	case len(s.Group) != n || s.Weight != nil && len(s.Weight) != n:
		return fmt.Errorf("%d rows, %d groups, %d weights", n, len(s.Group), len(s.Weight))
	}
	for i, y := range s.Y {
		if y < 0 || y >= classes {
			return fmt.Errorf("row %d is of class %d of %d", i, y, classes)
		}
		if w := s.weight(i); !(w >= 0) || math.IsInf(w, 1) {
			return fmt.Errorf("row %d weighs %g", i, w)
		}
	}
	for i, x := range s.X {
		if v := float64(x); math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("input %d of row %d is %g", i%s.Inputs, i/s.Inputs, v)
		}
	}
	return nil
}
