package deck

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"tapedeck/cassettes/clean"
	"tapedeck/cassettes/diff"
	"tapedeck/cassettes/redact"
	"tapedeck/matchers"
)

// A carrying gives a recording the values of the previous one where they changed only
// since an API invents them anew: ids, cursors and request ids throughout, times where
// they stand. What comes of it is the recording under other names. That is proven
// before anything is taken: the names put back give what was recorded byte for byte,
// no new name is left in any encoding, and requests are equal where they were.
type carrying struct {
	matcher *matchers.Matcher
	old     []clean.Interaction // as the pairing counts them
	fresh   []clean.Interaction // likewise, with the previous file's placeholders
	pairing *diff.Pairing
	// ids are the numbers of placeholders that the pairing has seen in fresh, and those
	// that they have now.
	ids map[string]string

	names map[string]string // new → old
	// numbers are ids that are numbers alone: other things under other names.
	numbers map[string]string
	// made are the values that the client made up and rules let differ. Those in several
	// are none of names; loose says which of them no answer repeats.
	loose map[string]bool
	// derives is the route of a request that holds what may be made of names.
	derives string
	// timeless says that times stay: the client makes others of them.
	timeless bool
	keys     []matchers.Key // of fresh
}

// maxRounds is how often carrying is tried without the names that were found in the way.
const maxRounds = 4

// errAmbiguous says that the values of two recordings do not stand for one another.
var errAmbiguous = errors.New("two values of one recording stand for one of the other")

// list is fresh with the values of old. doubt says why nothing was taken, or "".
func (c *carrying) list() (list []clean.Interaction, doubt string, err error) {
	if len(c.pairing.Clashes) > 0 {
		clash := c.pairing.Clashes[0]
		return c.fresh, fmt.Sprintf("%s does not answer one to one what it did (see %s)", clash.Route, clash.Place), nil
	}
	for _, in := range c.fresh {
		c.keys = append(c.keys, c.matcher.Read(in.Request(), nil).Key)
	}
	c.names = maps.Clone(c.pairing.Names)
	c.readMade()
	c.readNumbers()
	if err := c.dropSent(); err != nil {
		return nil, "", err
	}
	if c.derives == "" {
		if c.derives, err = c.madeOf(); err != nil {
			return nil, "", err
		}
	}
	if c.derives != "" {
		return c.fresh, c.derives + " is sent a value that no answer gave, and that may be made of one", nil
	}
	c.timeless = c.makesTimes()
	for range maxRounds {
		list, left, err := c.try()
		if errors.Is(err, errAmbiguous) {
			return c.fresh, err.Error(), nil
		}
		if err != nil {
			return nil, "", err
		}
		if len(left) == 0 {
			return list, "", nil
		}
		for _, name := range left {
			if name == numeric {
				c.numbers = nil
			}
			delete(c.names, name)
		}
	}
	return c.fresh, "they cannot be told apart from other values", nil
}

// numeric stands among names for all ids that are numbers.
const numeric = "#"

// try carries over what is known, and lists the names that are in the way.
func (c *carrying) try() (list []clean.Interaction, left []string, err error) {
	values := clean.NewValues(c.names)
	back := values.Reverse()
	if back == nil {
		return nil, nil, errAmbiguous
	}
	list = make([]clean.Interaction, len(c.fresh))
	for i := range c.fresh {
		one, names, err := c.one(i, values, back)
		if err != nil {
			return nil, nil, err
		}
		list[i] = one
		left = append(left, names...)
	}
	if len(left) == 0 {
		if left, err = c.remaining(list); err != nil {
			return nil, nil, err
		}
	}
	if len(left) == 0 {
		stay, err := c.numbersLeft(list)
		if err != nil {
			return nil, nil, err
		}
		if stay {
			left = append(left, numeric)
		}
	}
	if len(left) == 0 && !c.sameKeys(list) {
		left = c.all()
	}
	return list, left, nil
}

func (c *carrying) all() []string { return append(slices.Collect(maps.Keys(c.names)), numeric) }

// one carries over the values of one interaction.
func (c *carrying) one(i int, values, back *clean.Values) (out clean.Interaction, left []string, err error) {
	in := c.fresh[i]
	old := c.was(i)
	e := c.edits(i, values, "")
	if out, err = in.Replace(e.forth(values)); err != nil {
		return in, nil, err
	}
	if e.aging && (old == nil || old.Recorded == "" || !c.asked(i, out, *old).Same(*old)) {
		// It gets a new day of recording, and what ends some time must fit that.
		e = c.edits(i, values, in.Recorded)
		if out, err = in.Replace(e.forth(values)); err != nil {
			return in, nil, err
		}
	}
	restored, err := out.Replace(e.back(back))
	if err != nil {
		return in, nil, err
	}
	if !restored.Same(in) {
		return in, c.taken(in, back), nil
	}
	if c.pairing.Old[i] >= 0 {
		out = c.asked(i, out, *old)
	}
	return out, nil, nil
}

// was is the previous recording of a new interaction, nil when there is none.
func (c *carrying) was(i int) *clean.Interaction {
	j := max(c.pairing.Old[i], c.pairing.Near[i])
	if j < 0 {
		return nil
	}
	return &c.old[j]
}

// taken lists the names that a new interaction cannot give up, since it holds the old
// ones as well: of something else.
func (c *carrying) taken(in clean.Interaction, back *clean.Values) (left []string) {
	olds := make(map[string]string, len(c.names))
	for name, old := range c.names {
		olds[old] = name
	}
	found := func(old string) {
		if _, moves := c.names[old]; !moves {
			left = append(left, olds[old])
		}
	}
	in.Request().Find(back, found)
	if resp, err := in.Response(); err == nil && resp.Find(back, found) == nil && len(left) > 0 {
		return left
	}
	return c.all()
}

// remaining lists the names that still stand somewhere, in whatever encoding: where they
// are a part of something that a client may take apart.
func (c *carrying) remaining(list []clean.Interaction) (left []string, err error) {
	olds := make(map[string]bool, len(c.names))
	for _, old := range c.names {
		olds[old] = true
	}
	var search []string
	for name := range c.names {
		if !olds[name] && len(name) >= redact.ShortestGiven {
			search = append(search, name)
		}
	}
	if len(search) == 0 {
		return nil, nil
	}
	finder, _ := redact.NewFinder(search)
	seen := make(map[int]bool)
	look := func(text string) {
		for _, m := range finder.Find(text) {
			if !seen[m.Value] {
				seen[m.Value] = true
				left = append(left, search[m.Value])
			}
		}
	}
	for _, in := range list {
		if err := eachText(in, func(text []byte) { look(string(text)) }); err != nil {
			return nil, err
		}
	}
	return left, nil
}

// eachText calls f with every text of an interaction as it is written, but lengths.
func eachText(in clean.Interaction, f func(text []byte)) error {
	r := in.Request()
	f([]byte(r.RawURL()))
	for _, name := range r.HeaderNames() {
		for _, v := range r.Header(name) {
			f([]byte(v))
		}
	}
	f(r.Body())
	return eachAnswered(in, f)
}

// eachAnswered is eachText for the answer alone.
func eachAnswered(in clean.Interaction, f func(text []byte)) error {
	resp, err := in.Response()
	if err != nil {
		return err
	}
	for _, h := range []map[string][]string{resp.Header(), resp.Trailer()} {
		for name, values := range h {
			for _, v := range values {
				if name != "Content-Length" {
					f([]byte(v))
				}
			}
		}
	}
	return resp.Pieces(f)
}

// sameKeys reports that requests are equal exactly where they were when recorded.
func (c *carrying) sameKeys(list []clean.Interaction) bool {
	forth, back := map[matchers.Key]matchers.Key{}, map[matchers.Key]matchers.Key{}
	for i, in := range list {
		was, is := c.keys[i], c.matcher.Read(in.Request(), nil).Key
		if k, ok := forth[was]; ok && k != is {
			return false
		}
		if k, ok := back[is]; ok && k != was {
			return false
		}
		forth[was], back[is] = is, was
	}
	return true
}
