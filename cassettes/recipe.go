package cassettes

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// A recipe says how a body was written when it stands in the file in another
// style: the file shows JSON indented, the client gets the bytes as received.
// It is a style and holds no content, so it applies to a body that was edited
// by hand as well. "" means that the body stands as it is.
//
//	compact      {"a":1,"b":[1,2]}
//	spaced       {"a": 1, "b": [1, 2]}
//	indent 4     one member to a line, indented by 1 to 8 spaces
//	tab          one member to a line, indented by tabs
//	crlf         text whose lines end with CR LF (request bodies only)
//
// and the JSON styles followed by "newline" when the body ends with one.
type recipe string

const (
	compact  recipe = "compact"
	spaced   recipe = "spaced"
	tabbed   recipe = "tab"
	crlf     recipe = "crlf"
	indented        = "indent " // and the number of spaces
	newline         = " newline"
)

// widest is the largest indentation that a recipe names.
const widest = 8

// written is the style in which the file shows JSON.
const written = indented + "2"

// show returns how a JSON body stands in the file, and the recipe that gives
// its bytes back. ok is false when no recipe does, or when none is needed.
func show(body []byte) (text string, how recipe, ok bool) {
	how, plausible := guess(body)
	if !plausible {
		return "", "", false
	}
	pretty, err := restyle(body, written)
	if err != nil || !fitsLiteral(string(pretty)) {
		return "", "", false
	}
	for _, how := range []recipe{how, spaced + recipe(trailer(body))} {
		back, err := restyle(pretty, how)
		if err == nil && bytes.Equal(back, body) && how != written && how != written+newline {
			return string(pretty), how, true
		}
	}
	return "", "", false
}

// guess reads the likely style of a JSON object or array off its first bytes.
func guess(body []byte) (recipe, bool) {
	if len(body) < 3 || body[0] != '{' && body[0] != '[' {
		return "", false
	}
	if body[1] != '\n' {
		return compact + recipe(trailer(body)), true
	}
	rest := body[2:]
	spaces := len(rest) - len(bytes.TrimLeft(rest, " "))
	switch {
	case spaces > widest:
		return "", false
	case spaces > 0:
		return recipe(indented+strconv.Itoa(spaces)) + recipe(trailer(body)), true
	case rest[0] == '\t':
		return tabbed + recipe(trailer(body)), true
	}
	return "", false
}

func trailer(body []byte) string {
	if bytes.HasSuffix(body, []byte("\n")) {
		return newline
	}
	return ""
}

// restyle writes JSON in the style of a recipe. Strings and numbers keep their
// bytes: "\/", 1E2 and 10.50 stay what they are.
func restyle(body []byte, how recipe) ([]byte, error) {
	style, end := strings.CutSuffix(string(how), newline)
	opts := []jsontext.Options{
		jsontext.AllowDuplicateNames(true), jsontext.PreserveRawStrings(true),
		jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false),
	}
	switch {
	case style == string(compact):
	case style == string(spaced):
		opts = append(opts, jsontext.SpaceAfterColon(true), jsontext.SpaceAfterComma(true))
	case style == string(tabbed):
		opts = append(opts, jsontext.Multiline(true), jsontext.WithIndent("\t"))
	default:
		n, err := strconv.Atoi(strings.TrimPrefix(style, indented))
		if err != nil || n < 1 || n > widest || !strings.HasPrefix(style, indented) {
			return nil, fmt.Errorf("the recipe is not one that this version knows")
		}
		opts = append(opts, jsontext.Multiline(true), jsontext.WithIndent(strings.Repeat(" ", n)))
	}
	out, err := jsontext.AppendFormat(nil, body, opts...)
	if err != nil {
		return nil, err
	}
	if end {
		out = append(out, '\n')
	}
	return out, nil
}

// known reports whether a recipe is one that apply understands.
func (how recipe) known() bool {
	if how == "" || how == crlf {
		return true
	}
	_, err := restyle([]byte("[]"), how)
	return err == nil
}

// apply gives a body its bytes back. A body that was edited until it is no
// JSON any more comes back as it stands, and ok is false.
func (how recipe) apply(text []byte) (body []byte, ok bool) {
	switch how {
	case "":
		return text, true
	case crlf:
		return bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")), true
	}
	body, err := restyle(text, how)
	if err != nil {
		return text, false
	}
	return body, true
}

// showLines is show for text whose every line ends with CR LF, such as a
// multipart body.
func showLines(body []byte) (text string, ok bool) {
	if !utf8.Valid(body) {
		return "", false
	}
	text = strings.ReplaceAll(string(body), "\r\n", "\n")
	if strings.Count(text, "\n") != bytes.Count(body, []byte("\n")) || strings.Contains(text, "\r") ||
		len(body)-len(text) != strings.Count(text, "\n") || !fitsLiteral(text) {
		return "", false
	}
	return text, true
}
