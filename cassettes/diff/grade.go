package diff

import (
	"slices"
	"strconv"
	"strings"

	"tapedeck/cassettes/leaves"
)

// grade says how grave the changes of one interaction are. It looks at each by itself;
// what only the whole cassette can tell is settled by throughout and references, which
// takes the generated ids that were found in each.
func grade(list []Change) (ids [][]swap) {
	statusChanged := slices.ContainsFunc(list, func(c Change) bool { return c.Part == Response && c.Place == "status" })
	for i := range list {
		c := &list[i]
		if c.Part == Response && c.Place == "status_text" && statusChanged {
			c.Grade, c.Why = Volatile, "it follows the status"
			continue
		}
		g, why, found := gradeOf(c)
		c.Grade = g
		if why != "" {
			c.Why = why
		}
		if found = slices.DeleteFunc(found, func(s swap) bool { return s.kind != aName && s.kind != aUUID }); len(found) > 0 {
			if ids == nil {
				ids = make([][]swap, len(list))
			}
			ids[i] = found
		}
	}
	gradePeriods(list)
	return ids
}

func gradeOf(c *Change) (Grade, string, []swap) {
	if c.Part == Meta {
		if c.Place == "recorded" {
			return Volatile, "the day of recording", nil
		}
		return Changed, "", nil
	}
	switch c.Kind {
	case Added:
		return Additive, "", nil
	case Removed:
		return withoutIDs(gradeRemoved(c))
	case Retyped:
		return withoutIDs(gradeRetyped(c))
	case Moved:
		return Changed, "another position", nil
	case Rewrote:
		return Volatile, c.Why, nil
	}
	if c.Place == "status" && c.Part == Response {
		return withoutIDs(gradeStatus(c))
	}
	if why, found := volatile(c); why != "" {
		return Volatile, why, found
	}
	return Changed, "", nil
}

func withoutIDs(g Grade, why string) (Grade, string, []swap) { return g, why, nil }

func gradeRemoved(c *Change) (Grade, string) {
	switch place := string(c.Place); {
	case isElement(c.Place):
		return Changed, "an element less"
	case c.Part == Response && isInfrastructure(place):
		return Changed, "a header of the infrastructure"
	}
	return Breaking, "gone"
}

// isElement reports the place of an array element: body.items[3].
func isElement(p leaves.Place) bool {
	return strings.HasSuffix(string(p), "]") && !strings.HasSuffix(string(p), `"]`)
}

// infrastructure are headers that servers, caches and proxies on the way set: a client of
// the API does not read them.
var infrastructure = []string{"server", "via", "x-powered-by", "x-served-by", "x-cache", "x-cache-hits", "x-timer", "x-varnish", "x-amz-cf-pop", "x-amz-cf-id",
	"strict-transport-security", "vary", "connection", "keep-alive", "x-content-type-options", "x-frame-options", "x-xss-protection", "referrer-policy",
	"content-security-policy", "permissions-policy", "cross-origin-opener-policy", "cross-origin-resource-policy", "cross-origin-embedder-policy",
	"access-control-allow-credentials", "access-control-allow-headers", "access-control-allow-methods", "access-control-allow-origin",
	"access-control-expose-headers", "access-control-max-age", "accept-ranges", "expect-ct", "p3p", "pragma", "x-robots-tag", "x-envoy-upstream-service-time",
	"x-stripe-routing-context-priority-tier", "x-github-media-type", "content-length"}

func isInfrastructure(place string) bool {
	name, ok := strings.CutPrefix(place, "header.")
	return ok && slices.Contains(infrastructure, name)
}

func gradeRetyped(c *Change) (Grade, string) {
	old, fresh := typeOf(c.Old), typeOf(c.New)
	switch {
	case old == "null":
		return Changed, "null before"
	case fresh == "null" && (old == "object" || old == "array"):
		return Breaking, "null instead of " + old
	case fresh == "null":
		return Changed, "null now"
	case old == "" || fresh == "":
		return Breaking, "another type"
	}
	return Breaking, fresh + " instead of " + old
}

func typeOf(v *Value) string {
	if v == nil {
		return ""
	}
	return v.Type
}

func gradeStatus(c *Change) (Grade, string) {
	class := func(v *Value) int {
		if v == nil {
			return 0
		}
		n, _ := strconv.Atoi(v.Text)
		return n / 100
	}
	old, fresh := class(c.Old), class(c.New)
	if old == fresh {
		return Changed, ""
	}
	return Breaking, strconv.Itoa(fresh) + "xx instead of " + strconv.Itoa(old) + "xx"
}

// volatile says why the two values of a change are nothing but what an API invents anew for
// each recording, or "", and by which pieces it saw that. It is sure by their shape and
// their names; words, booleans, amounts, versions and days never are.
func volatile(c *Change) (why string, found []swap) {
	if c.Old == nil || c.New == nil || c.Old.Type != c.New.Type {
		return "", nil
	}
	switch c.Old.Type {
	case "number":
		if namingOf(c.Place) == timeName && areUnixTimes(c.Old.Text, c.New.Text) {
			return namingWords[timeName], nil
		}
	case "string", "text":
		return volatileText(c.Place, c.Old.Text, c.New.Text)
	}
	return "", nil
}

func volatileText(place leaves.Place, old, fresh string) (why string, found []swap) {
	naming := namingOf(place)
	switch {
	case naming == chosenName:
		return "", nil
	case naming == timeName && areTimes(old, fresh):
		return namingWords[timeName], nil
	case naming >= cursorName && naming.opaque(old) && naming.opaque(fresh):
		return namingWords[naming], nil
	}
	found, ok := swaps(old, fresh)
	if !ok {
		return "", nil
	}
	return whyPieces(found), found
}

var pieceWords = [...]string{aUUID: "a UUID", aName: "a generated id", aTime: "a time", aSecret: "another number for a secret"}

// whyPieces names the pieces in which two texts differ.
func whyPieces(list []swap) string {
	if len(list) == 0 {
		return pieceWords[aSecret]
	}
	kind := list[0].kind
	for _, s := range list[1:] {
		if s.kind != kind {
			return "ids and times"
		}
	}
	return pieceWords[kind]
}
