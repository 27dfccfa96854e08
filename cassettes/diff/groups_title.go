package diff

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxShown is how many characters of a value a title shows.
const maxShown = 80

// title says in one line what happened.
func (g *building) title() string {
	switch g.Section {
	case Recording:
		return g.recordingTitle()
	case Sent:
		if g.Part == "" {
			if g.Kind == Added {
				return shownRoute(g.Route) + " is sent now"
			}
			return shownRoute(g.Route) + " is no longer sent"
		}
	}
	return g.changeTitle()
}

func (g *building) recordingTitle() string {
	switch {
	case g.Kind == Rewrote && g.Place == "body":
		return "the body of " + g.where() + " is written differently and says the same"
	case g.Kind == Rewrote:
		return g.what() + " of " + g.where() + " is written differently"
	case g.Route == "" && g.Place == "order":
		return "interactions stand in another order"
	case g.Route == "" && g.Kind == Added:
		return "the recording is unfinished: " + shown(g.New)
	case g.Route == "" && g.Kind == Removed:
		return "the recording is no longer unfinished"
	case g.Route == "":
		return "the recording is unfinished for another reason" + g.fromTo()
	case g.Place == "recorded":
		return withoutHost(g.Route) + " was recorded on another day" + g.fromTo()
	}
	return "`" + g.Place + "` of " + withoutHost(g.Route) + " changed" + g.fromTo()
}

func (g *building) changeTitle() string {
	in := " in " + g.where()
	switch g.Kind {
	case Added:
		return "new " + g.what() + in + g.value(": ", g.New)
	case Removed:
		return g.what() + " is gone from " + g.where() + g.value(", it was ", g.Old)
	case Retyped:
		if g.Old != nil && g.New != nil {
			return g.what() + " of " + g.where() + " is " + article(g.New.Type) + " instead of " + article(g.Old.Type)
		}
		return g.what() + " of " + g.where() + " has another type"
	case Moved:
		return g.what() + in + " stands at another position"
	}
	return g.what() + " of " + g.where() + " changed" + g.fromTo()
}

// where is the requests or answers that the group is about.
func (g *building) where() string {
	route := withoutHost(g.Route)
	if g.Part == Request {
		return route
	}
	return route + " answers"
}

// what is the place in words: member `a.b`, header `x-y`, `status`.
func (g *building) what() string {
	place := g.Place
	switch root, rest, nested := strings.Cut(place, "."); {
	case place == "body":
		return "the body"
	case strings.HasPrefix(place, "body.events[*]"):
		return g.kindOf() + "`" + strings.TrimPrefix(strings.TrimPrefix(place, "body.events[*]"), ".data.") + "` of the events"
	case root == "body" && nested:
		return g.kindOf() + "`" + rest + "`"
	case strings.HasPrefix(place, "body["):
		return g.kindOf() + "`" + strings.TrimPrefix(place, "body") + "`"
	case root == "header" && nested:
		return "header `" + rest + "`"
	case root == "trailer" && nested:
		return "trailer `" + rest + "`"
	case root == "query" && nested:
		return "parameter `" + rest + "`"
	case strings.HasPrefix(place, "path["):
		return "the path"
	}
	return "`" + place + "`"
}

func (g *building) kindOf() string {
	switch {
	case g.Kind != Added && g.Kind != Removed:
		return ""
	case strings.HasSuffix(g.Place, "[*]"):
		return "element "
	}
	return "member "
}

func article(kind string) string {
	switch kind {
	case "object", "array":
		return "an " + kind
	case "null":
		return kind
	}
	return "a " + kind
}

// fromTo shows both values, when they are the same in the whole group.
func (g *building) fromTo() string {
	before, after := apart(g.Old, g.New)
	old, fresh := shown(before), shown(after)
	switch {
	case old == fresh && before != nil && before.Type == "binary":
		return ": other " + fresh
	case old == "" && fresh == "":
		return ""
	case old == "" || fresh == "":
		return ": " + old + fresh
	}
	return ": " + old + " → " + fresh
}

// apart cuts what two long texts begin with alike, so that a title shows what differs.
func apart(old, fresh *Value) (*Value, *Value) {
	const most, before = maxShown / 2, 10
	isText := func(v *Value) bool { return v != nil && (v.Type == "string" || v.Type == "text") }
	if !isText(old) || !isText(fresh) || len(old.Text) <= most && len(fresh.Text) <= most {
		return old, fresh
	}
	a, b := old.Text, fresh.Text
	var starts []int // of the characters that both begin with
	for i, r := range a {
		n := utf8.RuneLen(r)
		if n < 0 || i+n > len(b) || a[i:min(i+n, len(a))] != b[i:i+n] {
			break
		}
		starts = append(starts, i)
	}
	if len(starts) <= most/2 {
		return old, fresh
	}
	at := starts[len(starts)-before]
	x, y := *old, *fresh
	x.Text, y.Text = "…"+a[at:], "…"+b[at:]
	return &x, &y
}

func (g *building) value(before string, v *Value) string {
	if v == nil || v.Type == "object" || v.Type == "array" {
		return ""
	}
	if text := shown(v); text != "" {
		return before + text
	}
	return ""
}

// shown writes a value for a title: strings in quotes, at most maxShown characters for both
// sides of a change together.
func shown(v *Value) string {
	const most = maxShown / 2
	if v == nil {
		return ""
	}
	switch v.Type {
	case "binary":
		return strconv.FormatInt(v.Size, 10) + " bytes"
	case "null":
		return "null"
	case "string", "text":
		return `"` + shorten(v.Text, most) + `"`
	case "object", "array":
		return article(v.Type)
	}
	return shorten(v.Text, most)
}

// shorten cuts a text and shows nothing that moves a cursor.
func shorten(s string, most int) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > most {
			return b.String() + "…"
		}
		if unicode.IsSpace(r) {
			r = ' '
		} else if !unicode.IsPrint(r) {
			r = '\ufffd'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// withoutHost is the method and path of a route: the group says which host it is about.
func withoutHost(route string) string {
	method, target, _ := strings.Cut(route, " ")
	if i := strings.IndexByte(target, '/'); i >= 0 {
		target = target[i:]
	}
	return shownRoute(method + " " + target)
}

// shownRoute is a route, cut where it is very long.
func shownRoute(route string) string {
	const most = 120
	if utf8.RuneCountInString(route) <= most {
		return route
	}
	return shorten(route, most)
}

// ruleTitle says what became of a rule.
func ruleTitle(r *RuleChange) string {
	became := map[Kind]string{Added: " is new", Removed: " is gone"}[r.Kind]
	if became == "" {
		became = " changed"
	}
	title := r.File + ": " + shorten(r.What, maxShown) + became
	if r.Looser {
		title += ": more counts as the same, or less is checked"
	}
	return title
}
