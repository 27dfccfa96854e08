package render

import (
	"encoding/json"
	"io"

	"tapedeck/cassettes/diff"
)

// JSON prints the Diff as it is, volatile changes included. docs/diff.schema.json
// describes it.
func JSON(w io.Writer, d diff.Diff, _ Options) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(d)
}
