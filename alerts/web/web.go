package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"weimang/alerts"
	"weimang/alerts/message"
	"weimang/alerts/roster"
	"weimang/detectors"
)

//go:embed page.css templates/*.html texts.yaml
var files embed.FS

// Reader is what the page reads (package store).
type Reader interface {
	// Cases are all alerts of some areas (nil: of all) of which the episode or
	// the case goes on, the gravest first, then the longest waiting.
	Cases(ctx context.Context, areas []string) ([]alerts.Alert, error)
	// ResolvedAlerts are at most limit alerts of some areas (nil: of all) that
	// ended at or after since, the latest first.
	ResolvedAlerts(ctx context.Context, areas []string, since time.Time, limit int) ([]alerts.Alert, error)
	AlertsOf(ctx context.Context, household string, limit int) ([]alerts.Alert, error)
	Events(ctx context.Context, household string, limit int) ([]alerts.Event, error)
	// Visits are what was found at a household since a time, the latest first.
	Visits(ctx context.Context, by roster.By, household string, since time.Time) ([]roster.Visit, error)
	Units(ctx context.Context) ([]roster.Unit, error)
	// Viewer is who looks by a link; nil when she is not in the roster.
	Viewer(ctx context.Context, personID string) (*roster.Viewer, error)
	// HomesNear are all homes that she may see, and maybe others.
	HomesNear(ctx context.Context, personID string) ([]roster.Household, error)
	Households(ctx context.Context) ([]roster.Household, error)
	Household(ctx context.Context, id string) (*roster.Household, error)
	Recent(ctx context.Context, household string, from, to time.Time) ([]detectors.UsePoint, error)
}

// Service is what the page's links are opened with, and answered to (package
// alerts).
type Service interface {
	Open(ctx context.Context, token string) (*alerts.Asked, error)
	RespondByLink(ctx context.Context, token string, r alerts.Response) (*alerts.Alert, error)
	Viewer(token string) (personID string, err error)
	RespondByView(ctx context.Context, token, household string, r alerts.Response) (*alerts.Alert, error)
}

// Options configure the page.
type Options struct {
	Zone *time.Location   // where the roster names none; nil is UTC
	Days int              // of use on a household's chart; 0 is 3
	Wall func() time.Time // the clock by which people answer; nil is time.Now
	// Open shows the pages without a link to whoever reaches them, not only to
	// this machine.
	Open bool
	// BaseURL is how people reach the page: answers come from there.
	BaseURL string
	// Curve reports whether a household has agreed that officials see its curve;
	// nil is that all have.
	Curve func(ctx context.Context, household string) (bool, error)
	// Looked notes that a person has looked at a household's page by her link; nil
	// is that nobody keeps it. What cannot be noted is not shown.
	Looked func(ctx context.Context, personID, household string) error
}

// handler serves the page.
type handler struct {
	reader    Reader
	service   Service
	words     *message.Catalogue
	now       func() time.Time
	opts      Options
	log       *slog.Logger
	templates *template.Template
	texts     map[roster.Lang]texts
	style     template.CSS
	csp       string
}

// New makes the handler. now is the clock the page lives by: the feed's in a
// replay, so that "today" is the day of the data.
func New(reader Reader, service Service, words *message.Catalogue, now func() time.Time, opts Options, log *slog.Logger) (http.Handler, error) {
	if opts.Zone == nil {
		opts.Zone = time.UTC
	}
	if opts.Days <= 0 {
		opts.Days = 3
	}
	if opts.Wall == nil {
		opts.Wall = time.Now
	}
	css, err := fs.ReadFile(files, "page.css")
	if err != nil {
		return nil, fmt.Errorf("page style: %w", err)
	}
	h := &handler{reader: reader, service: service, words: words, now: now, opts: opts, log: log, style: template.CSS(css)}
	if h.templates, err = template.New("").Funcs(template.FuncMap{"pick": pickOf}).ParseFS(files, "templates/*.html"); err != nil {
		return nil, fmt.Errorf("page templates: %w", err)
	}
	if h.texts, err = readTexts(); err != nil {
		return nil, err
	}
	// The style stands in the page, so that it takes one request on a weak
	// connection; the policy allows this style by its hash and nothing else.
	sum := sha256.Sum256(css)
	h.csp = "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", h.page(h.operators(h.overview)))
	mux.HandleFunc("GET /household/{id}", h.page(h.operators(h.household)))
	mux.HandleFunc("GET /a/{token}", h.page(h.question))
	mux.HandleFunc("POST /a/{token}", h.page(h.answer))
	mux.HandleFunc("GET /v/{token}", h.page(h.viewers(h.overview)))
	mux.HandleFunc("GET /v/{token}/household/{id}", h.page(h.viewers(h.household)))
	mux.HandleFunc("GET /v/{token}/household/{id}/{action}", h.page(h.viewers(h.questionHere)))
	mux.HandleFunc("POST /v/{token}/household/{id}/{action}", h.page(h.viewers(h.answerHere)))
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("healthy\n"))
	})
	mux.HandleFunc("GET /", h.page(h.notFound))
	return mux, nil
}

// view is one rendered page: a template, its data and the status.
type view struct {
	template string
	status   int
	title    string
	data     any
}

// frame is what every page has around its data.
type frame struct {
	T     texts
	Lang  roster.Lang
	Query template.URL // keeps a language asked for: "" or "?lang=…"
	Title string
	Home  string        // "": there is no page to go back to
	Words message.Pages // of the pages on which people answer
	Style template.CSS
	AsOf  string
	Data  any
	// Other language: its tag, and the same page in it.
	OtherLang roster.Lang
	OtherURL  string
}

// request is what a page is made from.
type request struct {
	*http.Request
	lang  roster.Lang
	query template.URL
	t     texts
	now   time.Time
	wall  time.Time      // by the clock by which people answer
	asked bool           // the language was asked for
	who   *roster.Viewer // who looks by a link of her own; nil: the operator, or who answers
	base  string         // of the page's own addresses: "" or "/v/…"
	home  string         // address of the first page; "": there is none
}

// by is who reads, for the audit log: whose link it is, or the page, where the
// operator or somebody who answers looks.
func (r *request) by() roster.By {
	by := roster.By{Actor: "page", For: roster.ForPage}
	if r.who != nil {
		by.Actor = r.who.ID
	}
	return by
}

// speak has the page in a person's language, where no other was asked for.
func (r *request) speak(lang roster.Lang, all map[roster.Lang]texts) {
	if t, ok := all[lang]; ok && !r.asked {
		r.lang, r.t = lang, t
	}
}

// page renders what f returns, whole or not at all.
func (h *handler) page(f func(*request) (view, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		lang, asked := language(r)
		req := &request{Request: r, lang: lang, asked: asked, t: h.texts[lang], now: h.now(), wall: h.opts.Wall()}
		if asked {
			req.query = template.URL("?lang=" + string(lang)) // one of two constants
		}
		head := w.Header()
		head.Set("Content-Security-Policy", h.csp)
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("Referrer-Policy", "no-referrer")
		head.Set("Cache-Control", "no-store")
		head.Set("X-Robots-Tag", "noindex, nofollow")
		head.Set("Vary", "Accept-Language")
		v, err := f(req)
		var b bytes.Buffer
		if err == nil {
			err = h.render(&b, req, v)
		}
		if err != nil {
			if r.Context().Err() == nil {
				// Not its path: a link is a key.
				h.log.Error("serve page", "page", r.Pattern, "err", err)
			}
			http.Error(w, req.t["failed"], http.StatusInternalServerError)
			return
		}
		head.Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(v.status)
		_, _ = b.WriteTo(w)
	}
}

func (h *handler) render(b *bytes.Buffer, r *request, v view) error {
	other := roster.English
	if r.lang == roster.English {
		other = roster.Chinese
	}
	return h.templates.ExecuteTemplate(b, v.template, frame{
		T: r.t, Lang: r.lang, Query: r.query, Title: v.title, Home: r.home, Words: h.words.Pages(r.lang), Style: h.style,
		AsOf: r.t.fill("as-of", h.words.When(r.lang, r.now, r.now, h.opts.Zone)), Data: v.data,
		OtherLang: other, OtherURL: r.URL.EscapedPath() + "?lang=" + string(other),
	})
}

func (h *handler) notFound(r *request) (view, error) {
	return view{template: "notfound.html", status: http.StatusNotFound, title: r.t["not-found"]}, nil
}
