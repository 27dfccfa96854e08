package render

import (
	"path"
	"strconv"
	"strings"

	"tapedeck/cassettes/diff"
)

// names are what a report calls the cassettes: without the folder that all of them
// are in, which its first line names.
type names struct {
	folder string // with its last slash, or ""
	one    bool   // there is only one, which the first line names
}

func newNames(d *diff.Diff) names {
	n := names{one: len(d.Files) == 1}
	if n.one {
		return n
	}
	for i, f := range d.Files {
		dir := path.Dir(nameOf(&f)) + "/"
		if i == 0 {
			n.folder = dir
		}
		for !strings.HasPrefix(dir, n.folder) {
			n.folder = strings.TrimSuffix(n.folder, "/")
			n.folder = n.folder[:strings.LastIndex(n.folder, "/")+1]
		}
	}
	if n.folder == "./" || n.folder == "/" {
		n.folder = ""
	}
	return n
}

// nameOf is the name of a cassette now, or what it was.
func nameOf(f *diff.File) string {
	if f.New != "" {
		return f.New
	}
	return f.Old
}

func (n names) of(f *diff.File) string { return inLine(strings.TrimPrefix(nameOf(f), n.folder)) }

// mostPlaces is how many places of a group are named.
const mostPlaces = 3

// A spot is one cassette and the interactions of it that a group is about.
type spot struct {
	name string // "" where there is only one cassette
	ids  []string
	more int // interactions that are not among ids
}

func (s spot) String() string {
	text := s.name
	if len(s.ids) > 0 {
		word := "interaction "
		if len(s.ids)+s.more > 1 {
			word = "interactions "
		}
		if s.name != "" {
			word = " "
		}
		text += word + strings.Join(s.ids, ", ")
	}
	if s.more > 0 {
		text += " and " + thousands(s.more) + " more"
	}
	return text
}

// spots lists where a group happened: the first few cassettes, and in how many more.
func (o *outline) spots(refs []diff.Ref) (list []spot, more int) {
	seen := make(map[int]int) // file → its place in the list
	for _, r := range refs {
		f := o.file(r)
		if f == nil {
			continue
		}
		at, ok := seen[r.File]
		if !ok {
			at = len(seen)
			seen[r.File] = at
			if at < mostPlaces {
				name := o.names.of(f)
				if o.names.one {
					name = ""
				}
				list = append(list, spot{name: name})
			}
		}
		in := o.interaction(r)
		if in == nil || at >= mostPlaces {
			continue
		}
		s := &list[at]
		id := strconv.Itoa(in.ID)
		switch {
		case len(s.ids) > 0 && s.ids[len(s.ids)-1] == id:
		case len(s.ids) < mostPlaces:
			s.ids = append(s.ids, id)
		default:
			s.more++
		}
	}
	return list, max(len(seen)-mostPlaces, 0)
}

// where is spots in one line: "37 cassettes: a.yaml 3, b.yaml 1, c.yaml 9 and 34 more".
func (o *outline) where(refs []diff.Ref) string {
	list, more := o.spots(refs)
	var texts []string
	for _, s := range list {
		texts = append(texts, s.String())
	}
	text := strings.Join(texts, ", ")
	if n := len(list) + more; n > 1 {
		text = thousands(n) + " cassettes: " + strings.Join(texts, "; ")
	}
	if more > 0 {
		text += "; and " + thousands(more) + " more"
	}
	return text
}
