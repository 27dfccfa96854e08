package foreign

// Hoverfly's simulations (https://docs.hoverfly.io, schema v5): requests are matchers,
// each a list of {matcher, value}.

func isHoverfly(root *node) bool { return root.get("data", "pairs").is(list) }

func readHoverfly(r *reader, root *node) error {
	return r.each(root.get("data", "pairs"), func(i int, n *node) error {
		if err := r.begin(i, n, nil); err != nil {
			return err
		}
		req, resp := n.get("request"), n.get("response")
		if !req.is(object) {
			return r.fault(n, "request is missing", restore)
		}
		r.in.method, r.in.status = matched(req.get("method")), resp.get("status")
		r.in.origin = orText(matched(req.get("scheme")).scalar(), "http") + "://" + matched(req.get("destination")).scalar()
		r.url(matched(req.get("path")))
		for i, k := range req.get("headers").names() {
			for _, v := range req.get("headers").kids[i].children() {
				r.field(Header, Request, k, matcherValue(v))
			}
		}
		for i, k := range req.get("query").names() {
			r.group++
			for _, v := range req.get("query").kids[i].children() {
				r.field(Query, Request, k, matcherValue(v))
			}
		}
		r.header(Response, resp.get("headers"))
		for _, m := range req.get("body").children() {
			r.content(Request, matcherValue(m), asIs)
		}
		w := asIs
		if resp.get("encodedBody").scalar() == "true" {
			w = asBase64
		}
		r.content(Response, resp.get("body"), w)
		r.end(n)
		return nil
	})
}

// field makes a part of one value, and notes it among the headers when it is one.
func (r *reader) field(k Kind, d Direction, name string, n *node) {
	p := r.scalar(k, d, name, n)
	switch {
	case p == nil:
	case k == Header:
		m := r.in.message(d)
		m.header = append(m.header, field{name, p})
	default:
		p.Group = r.group
	}
}

// matched is the value that a list of matchers wants.
func matched(n *node) *node {
	if n.is(list) {
		return matcherValue(n.first())
	}
	return n
}

func matcherValue(n *node) *node {
	if n.is(object) {
		return n.get("value")
	}
	return n
}

func (n *node) names() []string {
	if !n.is(object) {
		return nil
	}
	var names []string
	for _, k := range n.keys {
		names = append(names, k.value)
	}
	return names
}

func orText(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
