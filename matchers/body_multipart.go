package matchers

import (
	"fmt"
	"mime"

	"tapedeck/cassettes/leaves"
	"tapedeck/cassettes/redact"
)

func isMultipart(b body) bool { return b.fault == nil && b.format == leaves.Multipart }

// multipart adds one fact per part (its position, media type and file name)
// and the leaves of its content. The boundary is no fact.
func (rd *reader) multipart(b body) {
	rd.kind(b)
	var last *leaves.Part
	position := 0
	for _, l := range b.list {
		if p := l.Part; p != last {
			last = p
			// A part that a rule ignores does not move those behind it.
			if rd.part(p, position); !rd.rules.ignores(p.Place) {
				position++
			}
		}
		if l.Kind == leaves.Blob {
			rd.digest(l.Place, l.Value)
			continue
		}
		rd.named(l)
	}
}

func (rd *reader) part(p *leaves.Part, position int) {
	contentType := p.ContentType
	if name, params, err := mime.ParseMediaType(contentType); err == nil {
		contentType = mime.FormatMediaType(name, params)
	}
	value := fmt.Sprintf("part %d, %s", position+1, p.Format)
	if contentType != "" {
		value += fmt.Sprintf(", type %q", contentType)
	}
	if p.HasFileName {
		value += fmt.Sprintf(", file %q", p.FileName)
	}
	rd.add(p.Place, partType, redact.Blank(value))
	if p.Fault != nil {
		rd.warn("%s: %v; it is compared by its bytes", p.Place, p.Fault)
	}
}
