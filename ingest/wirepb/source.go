package wirepb

import _ "embed" // the contract in writing

//go:embed contract.proto
var contractProto string

// Contract is the source of contract.proto, for senders to generate code from.
func Contract() string { return contractProto }
