package main

import (
	"context"

	"weimang/alerts"
	"weimang/alerts/deliver"
)

// sendFirst breaks the order of effects, to see that chaos notices: messages
// leave while the transaction that writes them is still open.
type sendFirst struct {
	alerts.Store
	channels map[string]deliver.Channel
}

// Update implements alerts.Store.
func (s sendFirst) Update(ctx context.Context, fn func(alerts.Tx) error) error {
	return s.Store.Update(ctx, func(tx alerts.Tx) error { return fn(sendFirstTx{tx, ctx, s.channels}) })
}

type sendFirstTx struct {
	alerts.Tx
	ctx      context.Context // of the transaction
	channels map[string]deliver.Channel
}

// EnqueueMessage sends before it writes.
func (t sendFirstTx) EnqueueMessage(m alerts.Message) error {
	_, _ = t.channels[m.Channel].Send(t.ctx, m)
	return t.Tx.EnqueueMessage(m)
}

// sentAlready is a channel for what has left before it was stored.
type sentAlready struct{}

// Send implements deliver.Channel.
func (sentAlready) Send(context.Context, alerts.Message) (deliver.Receipt, error) {
	return deliver.Receipt{}, nil
}
