package foreign

import "strings"

// HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/), and Polly.js's files,
// which are HAR with a few members more.

func isHAR(root *node) bool { return root.get("log", "entries").is(list) }

func isPolly(root *node) bool {
	return isHAR(root) && (root.get("log").has("_recordingName") || strings.HasPrefix(strings.ToLower(root.get("log", "creator", "name").scalar()), "polly"))
}

func readHAR(r *reader, root *node) error {
	return r.each(root.get("log", "entries"), func(i int, n *node) error {
		if err := r.begin(i, n, nil); err != nil {
			return err
		}
		req, resp := n.get("request"), n.get("response")
		if !req.is(object) {
			return r.fault(n, "request is missing", restore)
		}
		r.in.method, r.in.status = req.get("method"), resp.get("status")
		r.url(req.get("url"))
		r.header(Request, req.get("headers"))
		r.header(Response, resp.get("headers"))
		r.parameters(Query, Request, req.get("queryString"))
		r.cookies(Request, req.get("cookies"))
		r.cookies(Response, resp.get("cookies"))

		post := req.get("postData")
		r.in.request.mime = post.get("mimeType").scalar()
		r.content(Request, post.get("text"), wrapOf(post))
		r.parameters(Form, Request, post.get("params"))
		r.in.request.lengths = []*node{req.get("bodySize")}

		content := resp.get("content")
		r.in.response.mime = content.get("mimeType").scalar()
		r.content(Response, content.get("text"), wrapOf(content))
		r.in.response.lengths = []*node{resp.get("bodySize"), content.get("size")}
		r.scalar(Header, Response, "Location", resp.get("redirectURL"))
		r.end(n)
		return nil
	})
}

// wrapOf says how HAR writes a body. Polly.js writes binary ones as a JSON array of
// pieces, in hexadecimal before version 5 and then in base64.
func wrapOf(n *node) wrap {
	switch {
	case strings.ToLower(n.get("encoding").scalar()) == "base64":
		return asBase64
	case n.get("_isBinary").scalar() == "true":
		value := n.get("text").scalar()
		if pieces, ok := stringList(value); ok && strings.Trim(strings.Join(pieces, ""), "0123456789abcdef") == "" {
			return asHexList
		}
		if value != "" && len(value)%2 == 0 && strings.Trim(value, "0123456789abcdef") == "" {
			return asHex
		}
	}
	return asIs
}

// cookies reads the list of cookies beside the headers.
func (r *reader) cookies(d Direction, n *node) {
	for _, one := range n.children() {
		if one.kind == object {
			r.scalar(Cookie, d, one.get("name").scalar(), one.get("value"))
		}
	}
}
