package cassettes

import (
	"bytes"
	"regexp"
	"strconv"
)

// explain says what happened to a file that cannot be read, where that can be told from
// the file: two branches were merged as text, or it ends in the middle. err is what
// reading it gave.
func explain(object string, src []byte, err error) error {
	if at := conflictMarker.FindIndex(src); at != nil {
		return &FormatError{Object: object, Line: 1 + bytes.Count(src[:at[0]], []byte("\n")), Fault: "git has left conflict markers in it",
			Cure: "run \"tapedeck git install\" and then \"git checkout --merge\" with the file, which merges it again by its interactions, or take one side with \"git checkout --ours\" or \"--theirs\""}
	}
	fault, ok := err.(*FormatError)
	if ok && bytes.Contains(src, []byte("version:")) && src[len(src)-1] != '\n' && (fault.Line == 0 || fault.Line >= 1+bytes.Count(src[:lastBegun(src)], []byte("\n"))) {
		return halfWritten(object, src, fault.Interaction)
	}
	return err
}

// checkEnd finds a file that ends in the middle of its last interaction and can be read
// all the same. What a program has written ends with the duration.
func checkEnd(object string, src []byte, list []entry) error {
	if len(list) == 0 {
		return nil
	}
	last := list[len(list)-1]
	if last.timed || !last.ours && !last.stated {
		return nil
	}
	whole := src[len(src)-1] == '\n'
	if whole && last.ours && last.versioned && !last.stated {
		whole = false
	} else if whole && last.ours && mayHaveBody(last.Method, last.Status) && last.responseFile == "" {
		whole = last.announced <= int64(shown(last.ResponseBody, last.ResponseHeader, false).length)
	}
	if whole {
		return nil
	}
	id := ""
	if last.ID >= 0 {
		id = strconv.Itoa(last.ID)
	}
	return halfWritten(object, src, id)
}

// conflictMarker is how git begins the two sides of a conflict. In a cassette no line
// of traffic begins in the first column.
var conflictMarker = regexp.MustCompile(`(?m)^<{7}(?: .*)?\r?$`)

// lastBegun is where the last interaction begins, or 0.
func lastBegun(src []byte) int { return max(0, bytes.LastIndex(src, []byte("\n- "))+1) }

func halfWritten(object string, src []byte, interaction string) *FormatError {
	return &FormatError{Object: object, Line: bytes.Count(src, []byte("\n")) + 1, Interaction: interaction, Fault: "the file ends here, in the middle: it was written or copied by half",
		Cure: "restore it from version control, or " + moveAway}
}
