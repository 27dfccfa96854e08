package render

import (
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"

	"tapedeck/cassettes/diff"
)

// JSON prints the Diff as it is, volatile changes included. docs/diff.schema.json
// describes it. It is written while it is made: that of two large recordings takes more
// memory than the recordings.
func JSON(w io.Writer, d diff.Diff, _ Options) error {
	e := jsontext.NewEncoder(w, jsonv1.DefaultOptionsV1(), jsontext.EscapeForHTML(false), jsontext.WithIndent("  "))
	return json.MarshalEncode(e, &d)
}
