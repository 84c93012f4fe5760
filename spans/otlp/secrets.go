package otlp

import (
	"cmp"
	"log/slog"
	"net/url"
	"slices"
	"strings"
)

const (
	hidden    = "xxxxx" // as url.Redacted has it
	minSecret = 4       // a shorter word would make holes in plain text
)

// parseHeaders reads what every request carries: name=value pairs, the values
// URL-encoded (https://opentelemetry.io/docs/specs/otel/protocol/exporter/).
func parseHeaders(text string, log *slog.Logger) map[string]string {
	if text == "" {
		return nil
	}
	headers := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		name, raw, ok := strings.Cut(pair, "=")
		name = strings.TrimSpace(name)
		value, err := url.PathUnescape(raw)
		value = strings.TrimSpace(value)
		if !ok || err != nil || !isToken(name) || strings.ContainsAny(value, "\r\n\x00") {
			ignored(log, "parse headers")
			continue
		}
		headers[name] = value
	}
	return headers
}

// isToken says whether a header may have that name (RFC 9110, 5.6.2).
func isToken(s string) bool {
	for _, c := range []byte(s) {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		case strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0:
		default:
			return false
		}
	}
	return s != ""
}

// Secrets hide what the settings keep secret in a text that comes from
// elsewhere: a collector may well quote what it was sent.
type Secrets struct{ words *strings.Replacer }

// SecretsOf are those of an endpoint and of the text of a variable of headers,
// for who sends something else than traces there.
func SecretsOf(u *url.URL, headers string) Secrets {
	return newSecrets(u, parseHeaders(headers, slog.New(slog.DiscardHandler)))
}

func newSecrets(u *url.URL, headers map[string]string) Secrets {
	var words []string
	for _, v := range headers {
		words = append(append(words, v), strings.Fields(v)...) // "Bearer …"
	}
	if u != nil {
		password, _ := u.User.Password()
		words = append(words, u.User.String(), u.User.Username(), password, u.RawQuery)
		for _, v := range u.Query() {
			words = append(words, v...)
		}
	}
	words = slices.DeleteFunc(words, func(s string) bool { return len(s) < minSecret })
	slices.SortFunc(words, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	var pairs []string
	for _, w := range slices.Compact(words) {
		pairs = append(pairs, w, hidden)
	}
	return Secrets{strings.NewReplacer(pairs...)}
}

// Hide takes the secrets out of a text.
func (s Secrets) Hide(text string) string { return s.words.Replace(text) }

// hide is given everything that is said of an attempt.
func (s Secrets) hide(r result) result {
	if r.err != nil {
		r.err = discreet{r.err, s.Hide(r.err.Error())}
	}
	r.message = s.Hide(r.message)
	return r
}

// discreet is an error with another text.
type discreet struct {
	error
	text string
}

func (d discreet) Error() string { return d.text }
func (d discreet) Unwrap() error { return d.error }

// Shown is a URL without what may be a credential in it.
func Shown(u *url.URL) string {
	c := *u
	c.Fragment, c.RawFragment = "", ""
	if c.RawQuery != "" {
		c.RawQuery = hidden
	}
	if _, ok := c.User.Password(); !ok && c.User != nil {
		c.User = url.User(hidden) // a token
	}
	return c.Redacted()
}
