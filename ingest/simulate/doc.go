// Package simulate makes the readings of a village of very old people who
// live alone, built bottom-up from the appliances of each home, and the
// reports of both grids that go with them.
//
// Everything is a function of Options: each appliance of each home on each day
// draws from its own random source, so that any day of any home can be made by
// itself, a sub-span equals the same span of a longer run, and no history is
// kept. The same Options give the same blocks, whatever the number of cores.
// (A processor that fuses multiplication and addition may round a reading to
// the neighbouring watt-hour.)
//
// It writes no files and sends nothing. It is made to be lived in by detectors,
// not to size a transformer: shares of appliances and hours are plausible for
// the countryside around Ningbo, not measured there.
package simulate
