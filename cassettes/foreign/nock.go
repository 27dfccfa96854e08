package foreign

// nock's recordings (https://github.com/nock/nock#recording): a list of definitions.

func isNock(root *node) bool {
	return root.all(func(n *node) bool {
		return n.isText("scope") && n.has("method") && n.isText("path") && (n.has("response") || n.has("status") || n.has("reply"))
	})
}

func readNock(r *reader, root *node) error {
	return r.each(root, func(i int, n *node) error {
		if err := r.begin(i, n, nil); err != nil {
			return err
		}
		r.in.method, r.in.status = n.get("method"), n.get("status")
		r.url(n.get("scope"))
		r.url(n.get("path"))
		r.header(Request, n.get("reqheaders"))
		r.header(Response, n.get("rawHeaders"))
		r.header(Response, n.get("headers"))
		r.content(Request, n.get("body"), asIs)
		response := n.get("response")
		switch {
		case response.all(func(k *node) bool { return k.is(text) && isHexText(k.value) }):
			r.content(Response, response, asHexList) // an encoded body
		case n.get("responseIsBinary").scalar() == "true":
			r.content(Response, response, asHex)
		default:
			r.content(Response, response, asIs)
		}
		r.end(n)
		return nil
	})
}

func isHexText(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(s) > 0 && len(s)%2 == 0
}
