package diff

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"tapedeck/cassettes/clean"
)

// informational are the 1xx answers before the final one: informational[0].status,
// informational[0].header.link.
type informational struct{}

func (informational) owns(part Part, root string) bool {
	return part == Response && root == "informational"
}

func sameInformational(a, b []clean.Informational) bool {
	return slices.EqualFunc(a, b, func(x, y clean.Informational) bool {
		return x.Status == y.Status && maps.EqualFunc(x.Header, y.Header, slices.Equal)
	})
}

func (informational) compare(old, new *clean.Stored) []Change {
	if sameInformational(old.Informational, new.Informational) {
		return nil
	}
	tree := informationalTree(old.Informational)
	list, whole := compareTrees(Response, tree, informationalTree(new.Informational))
	n, err := patchTree(tree, addresses(list))
	if err == nil && whole && len(list) > 0 {
		var got []clean.Informational
		if got, err = writeInformational(n); err == nil && sameInformational(got, new.Informational) {
			return list
		}
	}
	return append(list, rewrote(Response, "informational", informationalValue(new.Informational)))
}

func (informational) patch(old, out *clean.Stored, changes []*Change) (err error) {
	if ch := exactly(changes, "informational", Rewrote); ch != nil {
		out.Informational, err = informationalOf(ch.New)
		return err
	}
	n, err := patchTree(informationalTree(old.Informational), changes)
	if err == nil {
		out.Informational, err = writeInformational(n)
	}
	return err
}

func informationalTree(list []clean.Informational) *node {
	n := &node{shape: array}
	for _, one := range list {
		code := strconv.Itoa(one.Status)
		n.kids = append(n.kids, kid{node: &node{kids: []kid{
			{name: "status", node: &node{shape: number, raw: code, value: code}},
			{name: "header", node: headerTree(one.Header)},
		}}})
	}
	return under("informational", n)
}

func writeInformational(root *node) ([]clean.Informational, error) {
	var list []clean.Informational
	for _, k := range root.kids[0].node.kids {
		code, header := k.node.find("status"), k.node.find("header")
		if code < 0 || header < 0 {
			return nil, errUnfit
		}
		status, err := strconv.Atoi(k.node.kids[code].node.value)
		if err != nil {
			return nil, errUnfit
		}
		list = append(list, clean.Informational{Status: status, Header: writeHeader(k.node.kids[header].node)})
	}
	return list, nil
}

// informationalValue is the list as JSON, each with its header as headerValue has it.
func informationalValue(list []clean.Informational) *Value {
	type answer struct {
		Status int    `json:"status"`
		Header *Value `json:"header"`
	}
	all := []answer{}
	for _, one := range list {
		all = append(all, answer{one.Status, headerValue(one.Header)})
	}
	b, _ := json.Marshal(all)
	return &Value{Type: "array", Text: string(b)}
}

func informationalOf(v *Value) ([]clean.Informational, error) {
	if v == nil {
		return nil, errNoValue
	}
	var all []struct {
		Status int
		Header *Value
	}
	if err := json.Unmarshal([]byte(v.Text), &all); err != nil {
		return nil, errUnfit
	}
	var list []clean.Informational
	for _, one := range all {
		h, err := headerOf(one.Header)
		if err != nil {
			return nil, err
		}
		list = append(list, clean.Informational{Status: one.Status, Header: h})
	}
	return list, nil
}
