package alerts

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"math"
	"time"
)

// A link is signed for one purpose, so that one of another opens nothing.
const (
	answerLinks = "weimang answer link v1\n"
	viewLinks   = "weimang view link v1\n"
)

// How much of a signature a link carries. 80 bits nobody guesses over a network,
// and a link to answer must be short; one to look has room for the usual 128.
const (
	macSize     = 10
	viewMACSize = 16
)

// longestLink bounds what is decoded at all.
const longestLink = 512

func linkMAC(key []byte, purpose string, b []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(purpose))
	mac.Write(b)
	return mac.Sum(nil)
}

// seal signs b for a purpose.
func seal(key []byte, purpose string, b []byte, size int) string {
	return base64.RawURLEncoding.EncodeToString(append(b, linkMAC(key, purpose, b)[:size]...))
}

// unseal is what seal was given. Without a key nothing was signed.
func unseal(key []byte, purpose, token string, size int) ([]byte, error) {
	if len(key) == 0 || len(token) > longestLink {
		return nil, ErrForged
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) <= size {
		return nil, ErrForged
	}
	body, mac := b[:len(b)-size], b[len(b)-size:]
	if !hmac.Equal(mac, linkMAC(key, purpose, body)[:size]) {
		return nil, ErrForged
	}
	return body, nil
}

// signLink is the token of a link that answers: question and answer, signed. It
// is some twenty characters long.
func signLink(key []byte, question int64, answer int) string {
	return seal(key, answerLinks, binary.AppendUvarint([]byte{byte(answer)}, uint64(question)), macSize)
}

// openLink reads what signLink wrote.
func openLink(key []byte, token string) (question int64, answer int, err error) {
	body, err := unseal(key, answerLinks, token, macSize)
	if err != nil {
		return 0, 0, err
	}
	n, size := binary.Uvarint(body[1:])
	if size <= 0 || size != len(body)-1 || n > math.MaxInt64 {
		return 0, 0, ErrForged
	}
	return int64(n), int(body[0]), nil
}

// signView is the token of a link by which a person looks: who, and until when to
// the hour, so that messages of one hour have the same.
func signView(key []byte, person string, until time.Time) string {
	hour := uint64((until.Unix() + 3599) / 3600)
	return seal(key, viewLinks, append(binary.AppendUvarint(nil, hour), person...), viewMACSize)
}

// openView reads what signView wrote.
func openView(key []byte, token string) (person string, until time.Time, err error) {
	body, err := unseal(key, viewLinks, token, viewMACSize)
	if err != nil {
		return "", time.Time{}, err
	}
	hour, size := binary.Uvarint(body)
	if size <= 0 || hour > math.MaxInt32 {
		return "", time.Time{}, ErrForged
	}
	return string(body[size:]), time.Unix(int64(hour)*3600, 0), nil
}
