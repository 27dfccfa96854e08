package render

// A shownValue is a text with and without its colours.
type shownValue struct{ plain, painted string }

// inline is what an example shows if all of it fits room columns.
func (t *textWriter) inline(x *example, room int) (shownValue, bool) {
	if x.old == nil && x.new == nil {
		return shownValue{}, true
	}
	write := literal
	if x.retyped {
		write = typed
	}
	var v shownValue
	switch {
	case x.old == nil:
		v.plain = write(x.new)
		v.painted = t.paint.added(v.plain)
	case x.new == nil:
		v.plain = write(x.old)
		v.painted = t.paint.removed(v.plain)
	default:
		old, new := write(x.old), write(x.new)
		v.plain = old + " → " + new
		v.painted = t.paint.removed(old) + " → " + t.paint.added(new)
	}
	return v, fits(v.plain, room)
}

// values prints an example on lines of its own.
func (t *textWriter) values(x *example, indent string) {
	room := t.width - len(indent)
	if len(x.edits) > 0 {
		list, more := hunks(x.edits, min(room-8, 60))
		for _, h := range list {
			t.hunk(h, indent, room)
		}
		if more > 0 {
			t.line(indent, t.paint.faint("and "+counted(more, "place", "places")+" more in this text"))
		}
		return
	}
	write := literal
	if x.retyped {
		write = typed
	}
	switch {
	case x.old == nil && x.new == nil:
	case x.old == nil:
		t.line(indent, t.paint.added("+ "+cut(write(x.new), room-2)))
	case x.new == nil:
		t.line(indent, t.paint.removed("- "+cut(write(x.old), room-2)))
	default:
		old, new := both(x.old, x.new, write, room-2)
		t.line(indent, t.paint.removed("- "+old))
		t.line(indent, t.paint.added("+ "+new))
	}
}

// hunk prints the words of a changed text as git's word diff does, in lines of room
// columns.
func (t *textWriter) hunk(h hunk, indent string, room int) {
	line, used := "", 0
	for _, e := range h {
		text := e.word(t.paint.on)
		if n := columns(text); used > 0 && used+n > room {
			t.line(indent, line)
			line, used = "  ", 2
		}
		line += t.paint.mark(e.Op, text)
		used += columns(text)
	}
	t.line(indent, line)
}
