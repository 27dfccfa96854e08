package diff

import (
	"slices"
	"strconv"

	"tapedeck/cassettes/clean"
)

// fields are single values of an interaction.
type fields struct {
	part Part
	list []field
}

// A field is one of them. What is "" is absent.
type field struct {
	name  string
	shape shape
	get   func(*clean.Stored) string
	set   func(*clean.Stored, string) error
}

var (
	methodField        = textField("method", func(s *clean.Stored) *string { return &s.Method })
	protoField         = textField("proto", func(s *clean.Stored) *string { return &s.Proto })
	statusTextField    = textField("status_text", func(s *clean.Stored) *string { return &s.StatusText })
	responseProtoField = textField("proto", func(s *clean.Stored) *string { return &s.ResponseProto })
	chunkedField       = boolField("chunked", func(s *clean.Stored) *bool { return &s.Chunked })
	recordedField      = textField("recorded", func(s *clean.Stored) *string { return &s.Recorded })
	pinnedField        = boolField("pinned", func(s *clean.Stored) *bool { return &s.Pinned })
	retryField         = boolField("retry", func(s *clean.Stored) *bool { return &s.Retry })
	cutField           = textField("cut", func(s *clean.Stored) *string { return &s.Cut })
	statusField        = field{
		name: "status", shape: number,
		get: func(s *clean.Stored) string { return strconv.Itoa(s.Status) },
		set: func(s *clean.Stored, v string) (err error) { s.Status, err = strconv.Atoi(v); return err },
	}
)

func textField(name string, at func(*clean.Stored) *string) field {
	return field{
		name: name, shape: plain,
		get: func(s *clean.Stored) string { return *at(s) },
		set: func(s *clean.Stored, v string) error { *at(s) = v; return nil },
	}
}

func boolField(name string, at func(*clean.Stored) *bool) field {
	return field{
		name: name, shape: boolean,
		get: func(s *clean.Stored) string { return strconv.FormatBool(*at(s)) },
		set: func(s *clean.Stored, v string) (err error) { *at(s), err = strconv.ParseBool(v); return err },
	}
}

func (f fields) owns(part Part, root string) bool {
	return part == f.part && slices.ContainsFunc(f.list, func(one field) bool { return one.name == root })
}

func (f fields) compare(old, new *clean.Stored) []Change {
	if !slices.ContainsFunc(f.list, func(one field) bool { return one.get(old) != one.get(new) }) {
		return nil
	}
	list, _ := compareTrees(f.part, f.tree(old), f.tree(new))
	return list
}

func (f fields) tree(s *clean.Stored) *node {
	n := &node{}
	for _, one := range f.list {
		if v := one.get(s); v != "" {
			n.kids = append(n.kids, kid{name: one.name, node: &node{shape: one.shape, raw: v, value: v}})
		}
	}
	return n
}

func (f fields) patch(old, out *clean.Stored, changes []*Change) error {
	n, err := patchTree(f.tree(old), changes)
	if err != nil {
		return err
	}
	for _, one := range f.list {
		v := ""
		if i := n.find(one.name); i >= 0 {
			v = n.kids[i].node.value
		}
		if err := one.set(out, v); err != nil {
			return errUnfit
		}
	}
	return nil
}
