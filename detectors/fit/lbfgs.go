package fit

import "math"

// function returns the value at x and writes the gradient there.
type function func(x, gradient []float64) (float64, error)

// Stats is how a fit went.
type Stats struct {
	Iterations  int
	Evaluations int     // of loss and gradient
	Loss        float64 // what was minimised, at the end
	Gradient    float64 // its steepest slope there
	Converged   bool    // false: the iterations were used up
}

const (
	remembered = 12   // steps from which curvature is estimated
	armijo     = 1e-4 // share of the expected decrease that a step must bring
	wolfe      = 0.9  // share of the slope that may be left after it
	halvings   = 40   // of a step, before the value counts as exact
	lookBack   = 10   // steps over which progress is judged
)

// minimise moves x to a minimum of a smooth convex function by L-BFGS (Nocedal
// and Wright, Numerical Optimization, 2006, algorithms 7.4 and 7.5), with the
// bisection line search for the weak Wolfe conditions of Lewis and Overton
// (Nonsmooth optimization via quasi-Newton methods, 2013, algorithm 2.6). It
// ends where no slope is steeper than tolerance, or where ten steps have
// brought less than the part slowest of the value.
func minimise(x []float64, f function, iterations int, tolerance, slowest float64) (Stats, error) {
	n := len(x)
	var st Stats
	g, next, nextG := make([]float64, n), make([]float64, n), make([]float64, n)
	direction := make([]float64, n)
	var mem memory
	var losses []float64
	var err error
	if st.Loss, err = f(x, g); err != nil {
		return st, err
	}
	st.Evaluations = 1
	for {
		if st.Gradient = steepest(g); st.Gradient <= tolerance {
			st.Converged = true
			return st, nil
		}
		if st.Iterations == iterations {
			return st, nil
		}
		mem.descend(direction, g)
		slope := dot(direction, g)
		if slope >= 0 { // rounding has spoilt the curvature
			mem.steps = nil
			mem.descend(direction, g)
			slope = dot(direction, g)
		}
		step, low, high := 1.0, 0.0, math.Inf(1)
		if len(mem.steps) == 0 {
			step = min(1, 1/math.Sqrt(-slope))
		}
		var value float64
		found := false
		for range halvings {
			for i := range next {
				next[i] = x[i] + step*direction[i]
			}
			if value, err = f(next, nextG); err != nil {
				return st, err
			}
			st.Evaluations++
			switch {
			case !(value <= st.Loss+armijo*step*slope): // or not a number
				high = step
			case dot(direction, nextG) < wolfe*slope:
				low = step
			default:
				found = true
			}
			if found {
				break
			}
			if step = 2 * low; !math.IsInf(high, 1) {
				step = (low + high) / 2
			}
		}
		if !found { // the value is as exact as its sum allows
			st.Converged = st.Gradient <= 100*tolerance
			return st, nil
		}
		st.Iterations++
		mem.learn(x, next, g, nextG)
		losses = append(losses, st.Loss)
		copy(x, next)
		copy(g, nextG)
		st.Loss = value
		if n := len(losses) - lookBack; n >= 0 && losses[n]-value <= slowest*math.Abs(value) {
			st.Gradient = steepest(g)
			st.Converged = true
			return st, nil
		}
	}
}

// memory is the last steps and the changes of the gradient along them.
type memory struct{ steps []secant }

type secant struct {
	s, y  []float64
	rho   float64 // 1 / s·y
	gamma float64 // s·y / y·y, the scale of the inverse curvature
}

func (m *memory) learn(x, next, g, nextG []float64) {
	var c secant
	if len(m.steps) == remembered {
		c = m.steps[0]
		m.steps = append(m.steps[:0], m.steps[1:]...)
	} else {
		c.s, c.y = make([]float64, len(x)), make([]float64, len(x))
	}
	for i := range x {
		c.s[i], c.y[i] = next[i]-x[i], nextG[i]-g[i]
	}
	sy := dot(c.s, c.y)
	c.rho, c.gamma = 1/sy, sy/dot(c.y, c.y)
	if sy > 0 && !math.IsInf(c.rho, 0) {
		m.steps = append(m.steps, c)
	}
}

// descend writes minus the estimated inverse curvature times g: the two-loop
// recursion.
func (m *memory) descend(direction, g []float64) {
	for i, v := range g {
		direction[i] = -v
	}
	var alpha [remembered]float64
	for i := len(m.steps) - 1; i >= 0; i-- {
		c := &m.steps[i]
		alpha[i] = c.rho * dot(c.s, direction)
		add(direction, c.y, -alpha[i])
	}
	if n := len(m.steps); n > 0 {
		for i := range direction {
			direction[i] *= m.steps[n-1].gamma
		}
	}
	for i := range m.steps {
		c := &m.steps[i]
		add(direction, c.s, alpha[i]-c.rho*dot(c.y, direction))
	}
}

func steepest(g []float64) float64 {
	most := 0.0
	for _, v := range g {
		most = max(most, math.Abs(v))
	}
	return most
}

// dot is a·b, by four sums that the processor can carry on side by side.
func dot(a, b []float64) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float64
	for len(a) >= 4 && len(b) >= 4 {
		s0 += a[0] * b[0]
		s1 += a[1] * b[1]
		s2 += a[2] * b[2]
		s3 += a[3] * b[3]
		a, b = a[4:], b[4:]
	}
	for i, v := range a {
		s0 += v * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}

// add adds k·b to a.
func add(a, b []float64, k float64) {
	b = b[:len(a)]
	for i, v := range b {
		a[i] += k * v
	}
}
