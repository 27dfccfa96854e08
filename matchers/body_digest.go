package matchers

import (
	"crypto/sha256"
	"encoding/hex"

	"tapedeck/cassettes/leaves"
	"tapedeck/cassettes/redact"
)

// digestBody compares a body by its bytes: one without known structure, or
// one that is not what its type says.
func (rd *reader) digestBody(b body) {
	if b.fault != nil {
		rd.warn("body: %v; it is compared by its bytes", b.fault)
	}
	rd.kind(b)
	rd.digest(bodyPlace, string(b.raw))
}

// digest adds the digest of content in which placeholders are blank and rules
// have rewritten what they name.
func (rd *reader) digest(place leaves.Place, content string) {
	d := draft{Fact: Fact{Name: place, Type: digestType}, ignored: rd.rules.ignores(place)}
	if d.ignored {
		rd.drafts = append(rd.drafts, d)
		return
	}
	d.secrets = redact.Placeholders(content)
	sum := sha256.Sum256([]byte(rd.rules.rewrite(place, blank(content, d.secrets))))
	d.Value = "sha256:" + hex.EncodeToString(sum[:])
	rd.drafts = append(rd.drafts, d)
}
