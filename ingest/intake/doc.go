// Package intake is the ingest service: it reads weimang.readings,
// weimang.incidents and weimang.directives, refuses what cannot be used (weimang.deadletters), looks
// up meter, household and area, and writes what belongs to one area into that
// area's log (weimang.inputs).
//
// It keeps no state but the roster, which it follows, and how late readings have
// come since its start, which changes nothing of what it writes. Delivery is at
// least once: offsets are committed after everything they stand for is
// acknowledged, so a crash repeats and loses nothing; who reads weimang.inputs
// ignores what it has seen. Readings of one partition keep their order within an area;
// readings, incidents and directives are three topics, and no order holds between
// them.
//
// Free text and reporter of an incident go to the ReportSink and never enter
// weimang.inputs.
package intake
