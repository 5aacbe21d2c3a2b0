package web

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"weimang/alerts"
	"weimang/alerts/roster"
)

// operators serves a page that shows all homes: to the machine on which it runs,
// or to all where the operator wants so. Nobody else learns that it is there.
func (h *handler) operators(f func(*request) (view, error)) func(*request) (view, error) {
	return func(r *request) (view, error) {
		if !h.opts.Open && !local(r.Request) {
			return h.notFound(r)
		}
		r.home = "/" + string(r.query)
		return f(r)
	}
}

// local reports whether a request comes from this machine. What a proxy passes on
// does not, though the proxy stands here; nor does what a page of another site
// has a browser on this machine ask for, under a name of its own.
func local(r *http.Request) bool {
	for _, passedOn := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via"} {
		if r.Header.Get(passedOn) != "" {
			return false
		}
	}
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !from.Addr().Unmap().IsLoopback() {
		return false
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	at, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && at.Unmap().IsLoopback()
}

// viewers serves a page to who looks by a link of her own.
func (h *handler) viewers(f func(*request) (view, error)) func(*request) (view, error) {
	return func(r *request) (view, error) {
		token := r.PathValue("token")
		person, err := h.service.Viewer(token)
		switch {
		case errors.Is(err, alerts.ErrExpired):
			return h.say(r, http.StatusGone, "cannot-open", "view-expired")
		case errors.Is(err, alerts.ErrForged):
			return h.notFound(r)
		case err != nil:
			return view{}, err
		}
		if r.who, err = h.reader.Viewer(r.Context(), person); err != nil {
			return view{}, err
		}
		if r.who == nil { // she has left
			return h.notFound(r)
		}
		r.speak(r.who.Lang, h.texts)
		r.base = "/v/" + url.PathEscape(token)
		r.home = r.base + string(r.query)
		return f(r)
	}
}

// seen is a home and the role in which who looks may see it; the role is "" for
// the operator. A home that is not hers is nil, like one that is not there.
func (h *handler) seen(r *request, ro *directory, id string) (*roster.Household, roster.Role, error) {
	home, err := h.reader.Household(r.Context(), id)
	if err != nil || home == nil || r.who == nil {
		return home, "", err
	}
	role := r.who.Sees(*home, ro.above(home.VillageID))
	if role == "" {
		return nil, "", nil
	}
	return home, role, nil
}

// official reports whether who looks may read what is said about a home by those
// who work for it.
func official(role roster.Role) bool { return role != "" && role.Official() }
