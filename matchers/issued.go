package matchers

import (
	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/redact"
)

// issued lists the placeholders that a recorded answer has handed out before any
// request sent them, such as the refresh token that comes with each new access
// token. A client has them from answers alone: one that sends another secret
// means the one that it brought along. An answer that cannot be read issues nothing.
func issued(list []clean.Interaction) map[string]bool {
	sent, out := map[string]bool{}, map[string]bool{}
	for _, in := range list {
		r := in.Request()
		texts := []string{r.RawURL(), string(r.Body())}
		for _, name := range r.HeaderNames() {
			texts = append(texts, r.Header(name)...)
		}
		for _, ph := range placeholders(texts) {
			sent[ph.ID] = true
		}
		for _, ph := range answered(in) {
			if !sent[ph.ID] {
				out[ph.ID] = true
			}
		}
	}
	return out
}

// answered lists the placeholders of a recorded answer.
func answered(in clean.Interaction) []redact.Placeholder {
	resp, err := in.Response()
	if err != nil {
		return nil
	}
	texts := []string{string(resp.Body())}
	for _, h := range []map[string][]string{resp.Header(), resp.Trailer()} {
		for _, values := range h {
			texts = append(texts, values...)
		}
	}
	return placeholders(texts)
}

func placeholders(texts []string) (out []redact.Placeholder) {
	for _, text := range texts {
		out = append(out, redact.Placeholders(text)...)
	}
	return out
}
