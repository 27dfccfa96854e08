package foreign

// vcrpy's files (Python), in YAML or JSON. Tags such as !!python/unicode are read as
// the text that they stand before.

func isVCRpy(root *node) bool {
	items := root.get("interactions")
	first := items.first()
	return first.get("request").has("uri") && first.has("response")
}

func readVCRpy(r *reader, root *node) error {
	return r.each(root.get("interactions"), func(i int, n *node) error {
		if err := r.begin(i, n, nil); err != nil {
			return err
		}
		req, resp := n.get("request"), n.get("response")
		if !req.is(object) {
			return r.fault(n, "request is missing", restore)
		}
		r.in.method, r.in.status = req.get("method"), resp.get("status", "code")
		if r.in.status == nil {
			r.in.status = resp.get("status_code")
		}
		r.url(req.get("uri"))
		r.header(Request, req.get("headers"))
		r.header(Response, resp.get("headers"))
		r.stringBody(Request, req.get("body"))
		r.stringBody(Response, resp.get("body"))
		r.stringBody(Response, resp.get("content"))
		r.end(n)
		return nil
	})
}
