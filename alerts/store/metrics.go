package store

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	wait, took map[work]prometheus.Observer
	again      prometheus.Counter
}

// answerLimit is how long a scrape waits for the store to answer.
const answerLimit = 2 * time.Second

func newMetrics(reg prometheus.Registerer, db *DB) *metrics {
	f := promauto.With(reg)
	kind := prometheus.Labels{"kind": string(db.Kind())}
	histogram := func(name, help string) map[work]prometheus.Observer {
		h := f.NewHistogramVec(prometheus.HistogramOpts{
			Name: name, Help: help, ConstLabels: kind,
			Buckets: prometheus.ExponentialBuckets(0.0005, 4, 9), NativeHistogramBucketFactor: 1.1,
		}, []string{"work"})
		children := make(map[work]prometheus.Observer, len(works))
		for _, w := range works {
			children[w] = h.WithLabelValues(string(w))
		}
		return children
	}
	f.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "weimang_store_up", Help: "Whether the store answered this scrape", ConstLabels: kind,
	}, func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), answerLimit)
		defer cancel()
		if db.read.PingContext(ctx) != nil {
			return 0
		}
		return 1
	})
	return &metrics{
		wait: histogram("weimang_store_wait_seconds", "From when a transaction was wanted until it had its turn"),
		took: histogram("weimang_store_transaction_seconds", "From a transaction's turn until it was durable; failed ones are left out"),
		again: f.NewCounter(prometheus.CounterOpts{
			Name: "weimang_store_repeated_transactions_total", Help: "Transactions begun again because the store went away", ConstLabels: kind,
		}),
	}
}
