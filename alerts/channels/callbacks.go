package channels

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"weimang/alerts/deliver"
)

// CallbackOptions say who may call back.
type CallbackOptions struct {
	Inbox deliver.Inbox
	// Token is the last part of the path of SMS and voice, since their vendors
	// sign nothing: who knows it may say that a message has arrived. Without it
	// these paths do not exist.
	Token      string
	SMS, Voice string         // gateways that may push: of GatewayKinds, "" is none
	WeCom      *WeComCallback // nil: none
	Now        func() time.Time
	Log        *slog.Logger
	Registerer prometheus.Registerer
}

// Callbacks take what vendors send back:
//
//	POST /callbacks/sms/TOKEN      delivery reports and SMS that people write
//	POST /callbacks/voice/TOKEN    what became of a call, and keys pressed in it
//	     /callbacks/wecom-app      buttons of cards, and texts
//
// What is taken is durable when the answer says so; otherwise vendors push
// again.
type Callbacks struct {
	opts  CallbackOptions
	token [sha256.Size]byte
	mux   *http.ServeMux
	count *prometheus.CounterVec
}

// maxPush is how large a push may be, in bytes.
const maxPush = 1 << 20

// pushed is what one push says.
type pushed struct {
	reports []deliver.Report
	replies []deliver.Reply
}

// parser reads a push of a vendor; now is for what carries no time.
type parser func(body []byte, now time.Time) (pushed, error)

// pushForm is how a gateway pushes, and what it wants to hear.
type pushForm struct {
	parse  parser
	thanks string
}

const (
	aliyunThanks  = `{"code":0,"msg":"OK"}`
	tencentThanks = `{"result":0,"errmsg":"OK"}`
)

var smsPushes = map[string]pushForm{
	GatewayAliyun:  {parseAliyunSMS, aliyunThanks},
	GatewayTencent: {parseTencentSMS, tencentThanks},
	GatewayJSON:    {parseGateway, "{}"},
}

var voicePushes = map[string]pushForm{
	GatewayAliyun:  {parseAliyunVoice, aliyunThanks},
	GatewayTencent: {parseTencentVoice, tencentThanks},
	GatewayJSON:    {parseGateway, "{}"},
}

// NewCallbacks makes the handlers.
func NewCallbacks(o CallbackOptions) *Callbacks {
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Callbacks{opts: o, token: sha256.Sum256([]byte(o.Token)), mux: http.NewServeMux()}
	c.count = promauto.With(o.Registerer).NewCounterVec(prometheus.CounterOpts{
		Name: "weimang_vendor_callbacks_total",
		Help: "What vendors have sent back, by channel and what: delivered, failed, reply, unknown (not our message) or refused (wrong token, signature or form)",
	}, []string{"channel", "what"})
	if form, ok := smsPushes[o.SMS]; ok && o.Token != "" {
		c.gateway(NameSMS, form)
	}
	if form, ok := voicePushes[o.Voice]; ok && o.Token != "" {
		c.gateway(NameVoice, form)
	}
	if o.WeCom != nil {
		c.mux.HandleFunc("GET /callbacks/"+NameWeComApp, c.wecomEcho)
		c.mux.HandleFunc("POST /callbacks/"+NameWeComApp, c.wecomPush)
		c.counters(NameWeComApp)
	}
	return c
}

// ServeHTTP implements http.Handler.
func (c *Callbacks) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.mux.ServeHTTP(w, r) }

func (c *Callbacks) counters(channel string) {
	for _, what := range []string{"delivered", "failed", "reply", "unknown", "refused"} {
		c.count.WithLabelValues(channel, what)
	}
}

func (c *Callbacks) gateway(channel string, form pushForm) {
	c.counters(channel)
	c.mux.HandleFunc("POST /callbacks/"+channel+"/{token}", func(w http.ResponseWriter, r *http.Request) {
		// Hashes are compared, so that not even the length is told by the time.
		got := sha256.Sum256([]byte(r.PathValue("token")))
		if subtle.ConstantTimeCompare(got[:], c.token[:]) != 1 {
			c.count.WithLabelValues(channel, "refused").Inc()
			http.NotFound(w, r)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPush))
		if err != nil {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
			return
		}
		p, err := form.parse(body, c.opts.Now())
		if err != nil {
			c.refuse(w, channel, "not in the form of this vendor")
			return
		}
		if err := c.take(r.Context(), channel, p); err != nil {
			c.opts.Log.Error("what a vendor sent back could not be stored", "channel", channel, "err", err)
			http.Error(w, "try again", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = io.WriteString(w, form.thanks)
	})
}

// refuse answers and logs a push that cannot be used; its content may name
// people and is not logged.
func (c *Callbacks) refuse(w http.ResponseWriter, channel, why string) {
	c.count.WithLabelValues(channel, "refused").Inc()
	c.opts.Log.Warn("what a vendor sent back is refused", "channel", channel, "why", why)
	http.Error(w, why, http.StatusBadRequest)
}

// take hands over all that a push says. What it says of messages that are not
// ours is counted and let go: other systems may use the same account.
func (c *Callbacks) take(ctx context.Context, channel string, p pushed) error {
	for _, r := range p.reports {
		what := "failed"
		if r.Delivered {
			what = "delivered"
		}
		err := c.opts.Inbox.Report(ctx, channel, r)
		if errors.Is(err, deliver.ErrUnknownMessage) {
			what, err = "unknown", nil
		}
		if err != nil {
			return err
		}
		c.count.WithLabelValues(channel, what).Inc()
	}
	for _, r := range p.replies {
		if err := c.opts.Inbox.Reply(ctx, channel, r); err != nil {
			return err
		}
		c.count.WithLabelValues(channel, "reply").Inc()
	}
	return nil
}
