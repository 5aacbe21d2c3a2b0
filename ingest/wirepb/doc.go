// Package wirepb is generated from contract.proto (what senders may write)
// and inputs.proto (the log of an area). Change the .proto files, then run
// go generate with protoc and protoc-gen-go v1.36.12 on the path.
package wirepb

//go:generate protoc --proto_path=../.. --go_out=../.. --go_opt=module=weimang ingest/wirepb/contract.proto ingest/wirepb/inputs.proto
