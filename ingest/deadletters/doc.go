// Package deadletters writes, reads and replays topic weimang.deadletters.
//
// The topic holds two kinds of records: letters (contract.DeadLetter as JSON),
// and receipts, which have no value and say in a header which letter has been
// replayed. A letter's own bytes never change; what became of it is read from
// the receipts and from the letters that came after it.
//
// It decides neither what is refused, which is for who refuses it, nor what is
// to be replayed, which is for an operator.
package deadletters
