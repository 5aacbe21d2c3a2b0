package latency

import (
	"math"
	"slices"
	"time"
)

// Result is what a run has measured.
type Result struct {
	Households int   `json:"households"`
	Areas      int   `json:"areas"`
	Intervals  int   `json:"intervals_per_home"` // of each home, at the most
	Idle       Phase `json:"idle"`               // next to nothing else is sent
	Load       Phase `json:"load"`               // the feed is sent at its pace
}

// Phase is one measured stretch of a run.
type Phase struct {
	Rate     int     `json:"rate"`           // readings a second, as asked for
	Readings int     `json:"readings"`       // sent and acknowledged
	PerS     float64 `json:"readings_per_s"` // what the sender came to
	// BehindMS is how late the sender was at the most: the brokers had not
	// acknowledged what came before.
	BehindMS float64 `json:"behind_max_ms"`
	// CPU is that of the system alone, user and system: cores in use, and
	// seconds for a million readings; 0: not known.
	CPUCores float64 `json:"cpu_cores"`
	CPUPerM  float64 `json:"cpu_s_per_m"`
	// Incidents are planned outages, each of an area of its own, by
	// weimang.incidents. Readings are readings of a home that cannot be, each
	// the last of its area's interval, by weimang.readings among all others.
	Incidents  Way `json:"incident_probes"`
	OfReadings Way `json:"reading_probes"`
}

// Way is how long the probes of one kind took, in ms. All of them arrived, or
// there is no result.
type Way struct {
	Probes int `json:"probes"`
	// FromAck is from the broker's acknowledgement of the probe until its
	// record in weimang.alerts has been fetched; FromSend the same from the
	// moment at which it was handed to the client.
	FromAck  Spread `json:"from_ack_ms"`
	FromSend Spread `json:"from_send_ms"`
	// ToFinding is the part of FromAck until the finding has been fetched from
	// weimang.findings: ingest and detect. ToAlert is the rest: the store,
	// its outbox, and the topic.
	ToFinding Spread `json:"ack_to_finding_ms"`
	ToAlert   Spread `json:"finding_to_alert_ms"`
}

// Spread is a distribution: of n values in order, p is the one at place p·n,
// rounded up.
type Spread struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// spread is the distribution of some durations, in ms.
func spread(took []time.Duration) Spread {
	if len(took) == 0 {
		return Spread{}
	}
	slices.Sort(took)
	at := func(p float64) float64 {
		return ms(took[max(0, int(math.Ceil(p*float64(len(took))))-1)])
	}
	return Spread{P50: at(0.5), P90: at(0.9), P99: at(0.99), Max: at(1)}
}

// ms is a duration in milliseconds, to the hundredth.
func ms(d time.Duration) float64 { return math.Round(float64(d)/1e4) / 100 }
