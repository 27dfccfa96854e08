package foreign

// go-vcr's formats 1 and 2, and tapedeck's own, which is format 2 with more in it.

func isTapedeck(root *node) bool {
	if !isGoVCR(root) {
		return false
	}
	if root.has("tapedeck") {
		return true
	}
	items := root.get("interactions")
	return items.first().has("tapedeck")
}

func isGoVCR(root *node) bool {
	if _, ok := root.get("version").number(); !ok {
		return false
	}
	items := root.get("interactions")
	if items == nil {
		return false
	}
	first := items.first()
	return first == nil || first.get("request").has("url") || first.get("request").has("method") && !first.get("request").has("uri")
}

func readGoVCR(r *reader, root *node) error {
	return r.each(root.get("interactions"), func(i int, n *node) error {
		if err := r.begin(i, n, n.get("id")); err != nil {
			return err
		}
		req, resp := n.get("request"), n.get("response")
		if !req.is(object) {
			return r.fault(n, "request is missing", restore)
		}
		r.in.method, r.in.status = req.get("method"), resp.get("code")
		r.url(req.get("url"))
		for _, side := range []struct {
			d Direction
			n *node
		}{{Request, req}, {Response, resp}} {
			r.header(side.d, side.n.get("headers"))
			r.header(side.d, side.n.get("trailer"))
			r.content(side.d, side.n.get("body"), asIs)
			m := r.in.message(side.d)
			m.lengths = append(m.lengths, side.n.get("content_length"))
		}
		r.parameters(Form, Request, req.get("form"))
		files := n.get("tapedeck", "body_files")
		for _, f := range []struct {
			d   Direction
			key string
		}{{Request, "request"}, {Response, "response"}} {
			if p := r.scalar(Body, f.d, "", files.get(f.key)); p != nil {
				p.BodyFile, p.original, p.text = p.original, "", ""
			}
		}
		for _, info := range n.get("tapedeck", "informational").children() {
			r.header(Response, info.get("headers"))
		}
		r.end(n)
		return nil
	})
}

func (n *node) children() []*node {
	if n == nil {
		return nil
	}
	return n.kids
}
