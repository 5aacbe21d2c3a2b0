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
	OpenAlerts(ctx context.Context) ([]alerts.Alert, error)
	ResolvedAlerts(ctx context.Context, since time.Time, limit int) ([]alerts.Alert, error)
	AlertsOf(ctx context.Context, household string, limit int) ([]alerts.Alert, error)
	Events(ctx context.Context, household string, limit int) ([]alerts.Event, error)
	Villages(ctx context.Context) ([]roster.Unit, error)
	Households(ctx context.Context) ([]roster.Household, error)
	Household(ctx context.Context, id string) (*roster.Household, error)
	Recent(ctx context.Context, household string, from, to time.Time) ([]detectors.UsePoint, error)
}

// Options configure the page.
type Options struct {
	Zone *time.Location // where the roster names none; nil is UTC
	Days int            // of use on a household's chart; 0 is 3
}

// handler serves the page.
type handler struct {
	reader    Reader
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
func New(reader Reader, words *message.Catalogue, now func() time.Time, opts Options, log *slog.Logger) (http.Handler, error) {
	if opts.Zone == nil {
		opts.Zone = time.UTC
	}
	if opts.Days <= 0 {
		opts.Days = 3
	}
	css, err := fs.ReadFile(files, "page.css")
	if err != nil {
		return nil, fmt.Errorf("page style: %w", err)
	}
	h := &handler{reader: reader, words: words, now: now, opts: opts, log: log, style: template.CSS(css)}
	if h.templates, err = template.ParseFS(files, "templates/*.html"); err != nil {
		return nil, fmt.Errorf("page templates: %w", err)
	}
	if h.texts, err = readTexts(); err != nil {
		return nil, err
	}
	// The style stands in the page, so that it takes one request on a weak
	// connection; the policy allows this style by its hash and nothing else.
	sum := sha256.Sum256(css)
	h.csp = "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", h.page(h.overview))
	mux.HandleFunc("GET /household/{id}", h.page(h.household))
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
}

// page renders what f returns, whole or not at all.
func (h *handler) page(f func(request) (view, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		lang, asked := language(r)
		req := request{Request: r, lang: lang, t: h.texts[lang], now: h.now()}
		if asked {
			req.query = template.URL("?lang=" + string(lang)) // one of two constants
		}
		head := w.Header()
		head.Set("Content-Security-Policy", h.csp)
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("Referrer-Policy", "no-referrer")
		head.Set("Cache-Control", "no-store")
		head.Set("Vary", "Accept-Language")
		v, err := f(req)
		var b bytes.Buffer
		if err == nil {
			err = h.render(&b, req, v)
		}
		if err != nil {
			if r.Context().Err() == nil {
				h.log.Error("serve page", "path", r.URL.Path, "err", err)
			}
			http.Error(w, req.t["failed"], http.StatusInternalServerError)
			return
		}
		head.Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(v.status)
		_, _ = b.WriteTo(w)
	}
}

func (h *handler) render(b *bytes.Buffer, r request, v view) error {
	other := roster.English
	if r.lang == roster.English {
		other = roster.Chinese
	}
	return h.templates.ExecuteTemplate(b, v.template, frame{
		T: r.t, Lang: r.lang, Query: r.query, Title: v.title, Style: h.style,
		AsOf: r.t.fill("as-of", h.words.When(r.lang, r.now, r.now, h.opts.Zone)), Data: v.data,
		OtherLang: other, OtherURL: r.URL.EscapedPath() + "?lang=" + string(other),
	})
}

func (h *handler) notFound(r request) (view, error) {
	return view{template: "notfound.html", status: http.StatusNotFound, title: r.t["not-found"]}, nil
}
