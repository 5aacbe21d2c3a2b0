package fit

import "math"

// Model is a fitted multinomial logistic regression. An input x counts as
// (x - Mean) / Scale; the score of a class is the inputs times its weights plus
// its constant, and its probability is exp(score) over the sum of all.
type Model struct {
	Classes []string    `json:"classes"`
	Mean    []float32   `json:"mean"`  // of each input
	Scale   []float32   `json:"scale"` // its standard deviation
	W       [][]float32 `json:"w"`     // class × (inputs + 1), the last is the constant
}

// LogProbabilities appends the natural logarithm of each class's probability
// to dst.
func (m *Model) LogProbabilities(dst, x []float32) []float32 {
	n := len(dst)
	for _, w := range m.W {
		s := float64(w[len(x)])
		for i, v := range x {
			s += float64(w[i]) * float64((v-m.Mean[i])/m.Scale[i])
		}
		dst = append(dst, float32(s))
	}
	most := math.Inf(-1)
	for _, s := range dst[n:] {
		most = max(most, float64(s))
	}
	sum := 0.0
	for _, s := range dst[n:] {
		sum += math.Exp(float64(s) - most)
	}
	all := most + math.Log(sum)
	for i := n; i < len(dst); i++ {
		dst[i] = float32(float64(dst[i]) - all)
	}
	return dst
}
