package foreign

// WireMock's stub mappings (https://wiremock.org/docs/stubbing/): one in a file, or a
// list under mappings.

func isWireMock(root *node) bool {
	if root.has("mappings") {
		return root.get("mappings").all(isMapping)
	}
	return isMapping(root)
}

func isMapping(n *node) bool {
	req := n.get("request")
	if !n.has("response") || !req.is(object) {
		return false
	}
	for _, name := range wireMockURLs {
		if req.isText(name) {
			return true
		}
	}
	return false
}

var wireMockURLs = []string{"url", "urlPath", "urlPattern", "urlPathPattern", "urlPathTemplate"}

func readWireMock(r *reader, root *node) error {
	if !root.has("mappings") {
		return r.mapping(0, root)
	}
	return r.each(root.get("mappings"), r.mapping)
}

func (r *reader) mapping(i int, n *node) error {
	if err := r.begin(i, n, nil); err != nil {
		return err
	}
	req, resp := n.get("request"), n.get("response")
	r.in.method, r.in.status = req.get("method"), resp.get("status")
	for _, name := range wireMockURLs {
		if u := req.get(name); u.is(text) {
			r.url(u)
			break
		}
	}
	for i, k := range req.get("headers").names() {
		for _, v := range comparisons(req.get("headers").kids[i]) {
			r.field(Header, Request, k, v)
		}
	}
	r.group++
	for i, k := range req.get("queryParameters").names() {
		for _, v := range comparisons(req.get("queryParameters").kids[i]) {
			r.field(Query, Request, k, v)
		}
	}
	for i, k := range req.get("cookies").names() {
		for _, v := range comparisons(req.get("cookies").kids[i]) {
			r.scalar(Cookie, Request, k, v)
		}
	}
	for _, p := range req.get("bodyPatterns").children() {
		r.content(Request, p.get("equalTo"), asIs)
		r.content(Request, p.get("equalToJson"), asIs)
		r.content(Request, p.get("binaryEqualTo"), asBase64)
	}
	basic := req.get("basicAuthCredentials")
	r.scalar(Text, Request, "password", basic.get("password"))
	r.header(Response, resp.get("headers"))
	r.content(Response, resp.get("base64Body"), asBase64)
	r.content(Response, resp.get("jsonBody"), asIs)
	r.content(Response, resp.get("body"), asIs)
	r.end(n)
	return nil
}

// comparisons are the texts that a matcher compares with: {"equalTo": "x"}.
func comparisons(n *node) []*node {
	if n.is(text) {
		return []*node{n}
	}
	var out []*node
	for _, v := range n.children() {
		if v.is(text) {
			out = append(out, v)
		}
	}
	return out
}
