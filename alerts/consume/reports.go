package consume

import (
	"context"
	"fmt"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/stream"
)

// ReportSink takes whole incident reports; it is called again with one that it
// has.
type ReportSink interface {
	SaveReport(ctx context.Context, r ingest.Report) error
}

// NewReports prepares a Consumer that keeps the incident reports of topic
// weimang.incidents, text and reporter included. It is for where ingest runs
// in a process without the store; there ingest refuses what cannot be read,
// and here that is passed over. Of the options only Client, Group and Logger
// count.
func NewReports(opts Options, sink ReportSink) (*Consumer, error) {
	opts.GroupID, opts.Topic = ReportsGroup, ingest.TopicIncidents
	c, err := New(opts)
	if err != nil {
		return nil, err
	}
	c.handle = func(ctx context.Context, records []stream.Record) error {
		for i := range records {
			contentType, _ := records[i].Header(contract.ContentTypeHeader)
			report, err := contract.DecodeIncident(contentType, records[i].Value)
			if err != nil {
				continue // ingest says why, in the dead letters
			}
			if err := sink.SaveReport(ctx, report); err != nil {
				return fmt.Errorf("save incident report %s: %w", report.ID, err)
			}
		}
		return nil
	}
	return c, nil
}
