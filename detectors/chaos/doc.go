// Package chaos shows that what happens to processes, brokers and the network
// changes nothing of what detection says and knows.
//
// It makes up a village (ingest/simulate), sends it once through one worker
// that nobody disturbs, and once through several while it kills them, stops
// them, cuts them off, fails what they write, and disorders what they are sent.
// Workers are processes that run the real services; every connection of theirs
// goes through this process, which reads Kafka's messages far enough to strike
// at a certain one.
//
// After every round what has been found and saved is compared with the areas'
// logs, of which it must be a function: to the byte. At the end it is compared
// with what came of the undisturbed run. It does not know what the detectors
// say, and makes up no faults of the disk.
package chaos
