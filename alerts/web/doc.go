// Package web serves the pages: who needs someone now, for each home how its case
// stands and its use beside what is usual, and the questions that links in
// messages ask.
//
// A request that asks changes nothing. What is answered goes to the service
// (package alerts), by a token that says who answers; what somebody may see is for
// the roster to say (roster.Viewer). Nothing is fetched from elsewhere, and
// everything is drawn on the server, so a page is whole on an old phone without
// scripts.
package web
