// Package web serves the page: who needs someone now, and for each home the
// use of the last days beside what is usual.
//
// It only shows: no request changes anything, no names or phones appear, and
// nothing is fetched from elsewhere. Everything is drawn on the server, so a
// page is whole on an old phone without scripts.
package web
