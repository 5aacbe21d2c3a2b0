package channels

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"weimang/alerts/deliver"
)

// WeComCallback checks and reads what WeCom posts to an application.
// https://developer.work.weixin.qq.com/document/path/90930 (form),
// https://developer.work.weixin.qq.com/document/path/96468 (events)
type WeComCallback struct {
	token  string
	corpID string
	block  cipher.Block
	iv     []byte
}

// NewWeComCallback makes one of the two values that the application's page
// shows, Token and EncodingAESKey (43 characters).
func NewWeComCallback(corpID, token, aesKey string) (*WeComCallback, error) {
	key, err := base64.StdEncoding.DecodeString(aesKey + "=")
	if err != nil || len(key) != 32 {
		return nil, errors.New("EncodingAESKey must be 43 letters and digits")
	}
	if token == "" || corpID == "" {
		return nil, errors.New("the callback of WeCom needs corp id and Token")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return &WeComCallback{token: token, corpID: corpID, block: block, iv: key[:16]}, nil
}

// wecomSkew is how old a push may be: they come within seconds, and one that is
// played again later must not answer for anybody.
const wecomSkew = 10 * time.Minute

// errWeCom is all that a stranger is told.
var errWeCom = errors.New("signature or form is wrong")

// open checks the signature of what is encrypted, and decrypts it.
func (c *WeComCallback) open(q url.Values, encrypted string, now time.Time) ([]byte, error) {
	parts := []string{c.token, q.Get("timestamp"), q.Get("nonce"), encrypted}
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, "")))
	if subtle.ConstantTimeCompare([]byte(hex.EncodeToString(sum[:])), []byte(q.Get("msg_signature"))) != 1 {
		return nil, errWeCom
	}
	seconds, err := strconv.ParseInt(q.Get("timestamp"), 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > wecomSkew {
		return nil, errWeCom
	}
	data, err := base64.StdEncoding.DecodeString(encrypted)
	if err != nil || len(data) == 0 || len(data)%aes.BlockSize != 0 {
		return nil, errWeCom
	}
	cipher.NewCBCDecrypter(c.block, c.iv).CryptBlocks(data, data)
	return c.unpack(data)
}

// unpack takes 16 random bytes, the length, the message, our corp id and the
// padding apart. The signature has been checked, so what is wrong here tells an
// attacker nothing.
func (c *WeComCallback) unpack(data []byte) ([]byte, error) {
	pad := int(data[len(data)-1])
	if pad < 1 || pad > 32 || pad > len(data) {
		return nil, errWeCom
	}
	data = data[:len(data)-pad]
	if len(data) < 20 {
		return nil, errWeCom
	}
	n := int64(binary.BigEndian.Uint32(data[16:20]))
	if n > int64(len(data)-20) || string(data[20+n:]) != c.corpID {
		return nil, errWeCom
	}
	return data[20 : 20+n], nil
}

// wecomEcho answers the check that WeCom makes when the address is saved.
func (c *Callbacks) wecomEcho(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	text, err := c.opts.WeCom.open(q, q.Get("echostr"), c.opts.Now())
	if err != nil {
		c.refuse(w, NameWeComApp, err.Error())
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write(text)
}

// wecomEvent is the part of a push that matters here.
type wecomEvent struct {
	From    string `xml:"FromUserName"`
	Created int64  `xml:"CreateTime"`
	Type    string `xml:"MsgType"`
	Event   string `xml:"Event"`
	Key     string `xml:"EventKey"`
	Task    string `xml:"TaskId"`
	Content string `xml:"Content"`
}

// reply is what an event says, if anything.
func (e wecomEvent) reply() (deliver.Reply, bool) {
	r := deliver.Reply{From: e.From, At: time.Unix(e.Created, 0)}
	switch {
	case e.Type == "event" && e.Event == "template_card_event" && e.Key != "":
		r.VendorID, r.Key = e.Task, e.Key
	case e.Type == "text" && e.Content != "":
		r.Text = e.Content
	default:
		return r, false
	}
	return r, e.From != ""
}

func (c *Callbacks) wecomPush(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPush))
	if err != nil {
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	var envelope struct {
		Encrypt string `xml:"Encrypt"`
	}
	var event wecomEvent
	if err = xml.Unmarshal(body, &envelope); err == nil {
		var text []byte
		if text, err = c.opts.WeCom.open(r.URL.Query(), envelope.Encrypt, c.opts.Now()); err == nil {
			err = xml.Unmarshal(text, &event)
		}
	}
	if err != nil {
		c.refuse(w, NameWeComApp, errWeCom.Error())
		return
	}
	// Somebody entering the application and the like: taken, and of no use.
	if reply, ok := event.reply(); ok {
		if err := c.take(r.Context(), NameWeComApp, pushed{replies: []deliver.Reply{reply}}); err != nil {
			c.opts.Log.Error("what a vendor sent back could not be stored", "channel", NameWeComApp, "err", err)
			http.Error(w, "try again", http.StatusServiceUnavailable)
			return
		}
	}
	w.WriteHeader(http.StatusOK)
}
