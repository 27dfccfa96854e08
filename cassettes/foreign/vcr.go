package foreign

import "strings"

// VCR's files (Ruby), in YAML or JSON, and Betamax's (Python), which are the same.

func isVCR(root *node) bool { return root.has("http_interactions") }

func isBetamax(root *node) bool {
	return isVCR(root) && strings.HasPrefix(strings.ToLower(root.get("recorded_with").scalar()), "betamax")
}

func readVCR(r *reader, root *node) error {
	return r.each(root.get("http_interactions"), func(i int, n *node) error {
		if err := r.begin(i, n, nil); err != nil {
			return err
		}
		req, resp := n.get("request"), n.get("response")
		if !req.is(object) {
			return r.fault(n, "request is missing", restore)
		}
		r.in.method, r.in.status = req.get("method"), resp.get("status", "code")
		r.url(req.get("uri"))
		r.header(Request, req.get("headers"))
		r.header(Response, resp.get("headers"))
		r.stringBody(Request, req.get("body"))
		r.stringBody(Response, resp.get("body"))
		r.end(n)
		return nil
	})
}

// stringBody reads a body that is a text, or a map with string or base64_string.
func (r *reader) stringBody(d Direction, n *node) {
	if !n.is(object) || !n.has("string") && !n.has("base64_string") {
		r.content(d, n, asIs)
		return
	}
	r.content(d, n.get("base64_string"), asBase64)
	r.content(d, n.get("string"), asIs)
}
