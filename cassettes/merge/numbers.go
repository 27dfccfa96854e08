package merge

// sends reports whether a request of any side holds a number, alone or in a word.
func (g *merger) sends(number string) bool {
	if g.sent == nil {
		g.sent = make(map[string]bool)
		note := func(digits []byte) { g.sent[string(digits)] = true }
		for _, side := range [][]version{g.base, g.ours, g.theirs} {
			for _, v := range side {
				req := v.in.Request()
				eachNumber([]byte(req.RawURL()), note)
				for _, header := range req.HeaderNames() {
					for _, value := range req.Header(header) {
						eachNumber([]byte(value), note)
					}
				}
				eachNumber(req.Body(), note)
			}
		}
	}
	return g.sent[number]
}

// eachNumber calls f for every run of digits.
func eachNumber(text []byte, f func(digits []byte)) {
	start := -1
	for i, c := range text {
		switch isDigit := '0' <= c && c <= '9'; {
		case isDigit && start < 0:
			start = i
		case !isDigit && start >= 0:
			f(text[start:i])
			start = -1
		}
	}
	if start >= 0 {
		f(text[start:])
	}
}
