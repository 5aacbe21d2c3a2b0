// Package ingest holds what comes in: readings and incidents as the rest of
// the system sees them, the topics they travel on and the reasons for which a
// record is refused. Its folders decode the wire contract, talk Kafka, run the
// embedded broker and simulate a village.
//
// It knows nothing of what is usual for a home (detectors) nor of people
// (alerts), and keeps no state about either.
package ingest
