package detectors

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"sync"
)

// Softmax is a fitted multinomial logistic regression (Bishop, Pattern
// Recognition and Machine Learning, 2006, 4.3.4): the pooled prior that homes
// of any history share.
type Softmax struct {
	Classes []string    `json:"classes"`
	Mean    []float32   `json:"mean"`  // of the inputs, by which they are standardised
	Scale   []float32   `json:"scale"` // standard deviations
	W       [][]float32 `json:"w"`     // class × (inputs + 1); the last is the constant
}

// logits writes the classes' unnormalised log-probabilities. It takes three
// classes at a time, whose sums do not wait for one another.
func (m *Softmax) logits(dst []float64, x []float32) {
	n, c := len(x), 0
	for ; c+3 <= len(m.W); c += 3 {
		u, v, w := m.W[c], m.W[c+1], m.W[c+2]
		a, b, d := u[n], v[n], w[n]
		u, v, w = u[:n], v[:n], w[:n]
		for i, x := range x {
			a += u[i] * x
			b += v[i] * x
			d += w[i] * x
		}
		dst[c], dst[c+1], dst[c+2] = float64(a), float64(b), float64(d)
	}
	for ; c < len(m.W); c++ {
		u := m.W[c]
		a := u[n]
		for i, x := range x {
			a += u[i] * x
		}
		dst[c] = float64(a)
	}
}

// Model is everything fitted over many homes: see 'weimang fit'.
type Model struct {
	// Life: at which level the next half-hour of a home with people in it is.
	Life Softmax `json:"life"`
	// Still: how often a level follows another while nobody does anything.
	Still [levels][levels]float64 `json:"still"`
	// Day: what the last day looks like.
	Day Softmax `json:"day"`
	// Stuck: whether strong use is something left on.
	Stuck Softmax `json:"stuck"`
	// Tails: how often the scores of each detector come by chance.
	Tails [detectors]Tail `json:"tails"`

	logStill [levels][levels]float64
}

//go:embed model.json
var modelJSON []byte

// DefaultModel is the model fitted on the development homes.
var DefaultModel = sync.OnceValue(func() *Model {
	m, err := DecodeModel(modelJSON)
	if err != nil {
		panic(err) // the program's own file; a test reads it
	}
	return m
})

// DecodeModel reads a model as 'weimang fit' writes it, checks its shape and
// prepares it for use.
func DecodeModel(b []byte) (*Model, error) {
	m := new(Model)
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("decode model: %w", err)
	}
	if err := m.Life.prepare(levels, lifeInputs); err != nil {
		return nil, fmt.Errorf("model of life: %w", err)
	}
	if err := m.Day.prepare(len(DayClasses), dayInputs); err != nil {
		return nil, fmt.Errorf("model of the day: %w", err)
	}
	if err := m.Stuck.prepare(len(StuckClasses), stuckInputs); err != nil {
		return nil, fmt.Errorf("model of strong use: %w", err)
	}
	for i := range m.Still {
		for j, p := range m.Still[i] {
			if p <= 0 || p > 1 {
				return nil, fmt.Errorf("model: a home that is still goes from level %d to %d with a chance of %g", i, j, p)
			}
			m.logStill[i][j] = math.Log(p)
		}
	}
	return m, nil
}

// prepare checks the shape and folds the standardisation into the weights,
// after which it is none: to prepare twice changes nothing.
func (m *Softmax) prepare(classes, inputs int) error {
	if len(m.W) != classes || len(m.Mean) != inputs || len(m.Scale) != inputs {
		return fmt.Errorf("%d classes and %d inputs, want %d and %d", len(m.W), len(m.Mean), classes, inputs)
	}
	for c := range m.W {
		if len(m.W[c]) != inputs+1 {
			return fmt.Errorf("class %d has %d weights, want %d", c, len(m.W[c]), inputs+1)
		}
		w := make([]float32, inputs+1)
		constant := float64(m.W[c][inputs])
		for i := range inputs {
			if m.Scale[i] <= 0 {
				return fmt.Errorf("input %d has scale %g", i, m.Scale[i])
			}
			w[i] = m.W[c][i] / m.Scale[i]
			constant -= float64(w[i]) * float64(m.Mean[i])
		}
		w[inputs] = float32(constant)
		m.W[c] = w
	}
	m.Mean, m.Scale = make([]float32, inputs), make([]float32, inputs)
	for i := range m.Scale {
		m.Scale[i] = 1
	}
	return nil
}

// logSum is ln Σ exp.
func logSum(x ...float64) float64 {
	top := math.Inf(-1)
	for _, v := range x {
		top = max(top, v)
	}
	sum := 0.0
	for _, v := range x {
		if v == top { // as one of them is
			sum++
			continue
		}
		sum += math.Exp(v - top)
	}
	return top + math.Log(sum)
}
