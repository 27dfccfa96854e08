package diff

import (
	"bytes"

	"tapedeck/cassettes/clean"
)

// bodyUnit is the body of a request or an answer.
type bodyUnit struct{ part Part }

func (u bodyUnit) owns(part Part, root string) bool { return part == u.part && root == "body" }

func contentType(part Part, s *clean.Stored) string {
	if part == Request {
		return s.RequestHeader.Get("Content-Type")
	}
	return s.ResponseHeader.Get("Content-Type")
}

func (u bodyUnit) compare(old, new *clean.Stored) []Change {
	a, b := bodyOf(u.part, old), bodyOf(u.part, new)
	if a.equal(b) {
		return nil
	}
	whole := Change{Part: u.part, Place: "body", Kind: Other}
	switch {
	case a.size() == 0:
		whole.Kind = Added
	case b.size() == 0:
		whole.Kind = Removed
	}
	if a.large != nil || b.large != nil {
		if whole.Kind != Added {
			whole.Old = a.value()
		}
		if whole.Kind != Removed {
			whole.New = b.value()
			if b.large == nil {
				whole.New = textValue(string(b.bytes))
			}
		}
		return []Change{whole}
	}
	trees := arenas.Get().(*arena)
	defer trees.release()
	before, after := readContent(contentType(u.part, old), a.bytes, trees), readContent(contentType(u.part, new), b.bytes, trees)
	var list []Change
	switch {
	case whole.Kind == Added:
		whole.New = after.exact()
		list = []Change{whole}
	case whole.Kind == Removed:
		whole.Old = before.whole()
		return []Change{whole}
	default:
		list = compareContent(u.part, before, after)
	}
	if got, err := before.patched(addresses(list)); err != nil || len(list) == 0 || got.large != nil || !bytes.Equal(got.bytes, b.bytes) {
		list = append(list, rewrote(u.part, "body", textValue(after.text)))
	}
	return list
}

func compareContent(part Part, a, b content) []Change {
	if a.format == b.format {
		if list, whole := compareTrees(part, under("body", a.root), under("body", b.root)); whole {
			return list
		}
	}
	ch := Change{Part: part, Place: "body", Kind: Other, Old: a.whole(), New: b.exact()}
	if ch.Old.Type != ch.New.Type {
		ch.Kind = Retyped
	}
	return []Change{ch}
}

func (u bodyUnit) patch(old, out *clean.Stored, changes []*Change) error {
	if len(changes) == 0 {
		return nil
	}
	var before content
	if from := bodyOf(u.part, old); from.large == nil {
		before = readContent(contentType(u.part, old), from.bytes, nil)
	}
	p, err := before.patched(changes)
	if err != nil {
		return err
	}
	if u.part == Request {
		out.RequestBody = p.bytes
	} else {
		out.ResponseBody, out.ResponseLarge = p.bytes, p.large
	}
	return nil
}

// patched is the new body of an old one.
func (c content) patched(changes []*Change) (payload, error) {
	if exactly(changes, "body", Removed) != nil {
		return payload{}, nil
	}
	ch := exactly(changes, "body", Rewrote)
	if ch == nil || ch.New == nil || ch.New.Type == "number" {
		ch = exactly(changes, "body", Other, Retyped, Added, Rewrote)
	}
	if ch != nil {
		return c.replaced(ch.New)
	}
	if c.root == nil {
		return payload{}, errUnfit
	}
	n, err := patchTree(under("body", c.root), changes)
	if err != nil || len(n.kids) != 1 {
		return payload{}, errUnfit
	}
	return payload{bytes: c.write(n.kids[0].node)}, nil
}

// replaced is a body that is another altogether.
func (c content) replaced(v *Value) (payload, error) {
	if v != nil && v.Type == "binary" && v.Bytes == nil {
		return payload{large: largeOf(v)}, nil
	}
	if v != nil && v.Raw != "" {
		return payload{bytes: []byte(v.Raw)}, nil
	}
	n, err := v.fresh()
	switch {
	case err != nil:
		return payload{}, err
	case n.shape == plain:
		return payload{bytes: []byte(n.value)}, nil
	case c.format == jsonFormat:
		return payload{bytes: c.write(n)}, nil
	}
	return payload{bytes: appendCompact(nil, n)}, nil
}
