package merge

import (
	"sync"

	"tapedeck/cassettes"
)

// settle decides what becomes of each unit.
func (g *merger) settle() error {
	oursAgain := sync.OnceValues(func() (map[int]bool, error) { return g.onlyAgain(g.ours, func(u *unit) int { return u.ours }) })
	theirsAgain := sync.OnceValues(func() (map[int]bool, error) { return g.onlyAgain(g.theirs, func(u *unit) int { return u.theirs }) })
	for _, u := range g.units {
		var err error
		switch {
		case u.ours >= 0 && u.theirs >= 0:
			err = g.settleBoth(u, oursAgain, theirsAgain)
		case u.ours >= 0 && u.base < 0:
			err = g.keepOurs(u)
		case u.theirs >= 0 && u.base < 0:
			err = g.keepTheirs(u)
		case u.ours >= 0:
			err = g.settleGone(u, u.ours, g.ours, oursAgain, theirsRemoved, g.keepOurs)
		case u.theirs >= 0:
			err = g.settleGone(u, u.theirs, g.theirs, theirsAgain, oursRemoved, g.keepTheirs)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

type again func() (map[int]bool, error)

// settleBoth is for what both sides have.
func (g *merger) settleBoth(u *unit, oursAgain, theirsAgain again) error {
	o, t := g.ours[u.ours], g.theirs[u.theirs]
	if o.same(t) {
		o.in.Recorded = g.day(u)
		u.list = []version{o}
		return nil
	}
	if u.base >= 0 {
		b := g.base[u.base]
		if t.same(b) {
			return g.keepOurs(u)
		}
		if o.same(b) {
			return g.keepTheirs(u)
		}
	}
	carried, err := g.carried(u.theirs)
	if err != nil {
		return err
	}
	if carried.same(o) {
		if t.in.Recorded > o.in.Recorded {
			return g.keepTheirs(u)
		}
		return g.keepOurs(u)
	}
	if u.base >= 0 {
		if is, err := oursAgain(); err != nil {
			return err
		} else if is[u.ours] {
			return g.keepTheirs(u)
		}
		if is, err := theirsAgain(); err != nil {
			return err
		} else if is[u.theirs] {
			return g.keepOurs(u)
		}
	}
	u.why = bothChanged
	if u.base < 0 {
		u.why = bothAdded
	}
	return g.keepVersions(u)
}

// settleGone is for what one side has removed: at is the position on the other one.
func (g *merger) settleGone(u *unit, at int, side []version, isAgain again, why string, keep func(*unit) error) error {
	b := g.base[u.base]
	if side[at].same(b) {
		return nil
	}
	if !b.unsettled {
		is, err := isAgain()
		if err != nil || is[at] {
			return err
		}
	}
	u.why = why
	if err := keep(u); err != nil {
		return err
	}
	u.list[0].in.Conflict = cassettes.Ours
	if u.ours < 0 {
		u.list[0].in.Conflict = cassettes.Theirs
	}
	return nil
}

func (g *merger) keepOurs(u *unit) error {
	v, err := g.takeOurs(u)
	u.list = []version{v}
	return err
}

func (g *merger) keepTheirs(u *unit) error {
	v, err := g.takeTheirs(u)
	u.list = []version{v}
	return err
}

// keepVersions leaves both for a person.
func (g *merger) keepVersions(u *unit) error {
	o, err := g.takeOurs(u)
	if err != nil {
		return err
	}
	t, err := g.takeTheirs(u)
	if err != nil {
		return err
	}
	o.in.Conflict, t.in.Conflict = cassettes.Ours, cassettes.Theirs
	u.list = []version{o, t}
	return nil
}

// day is the day of recording of what both sides have alike.
func (g *merger) day(u *unit) string {
	ours, theirs := g.ours[u.ours].in.Recorded, g.theirs[u.theirs].in.Recorded
	if u.base >= 0 {
		switch g.base[u.base].in.Recorded {
		case ours:
			return theirs
		case theirs:
			return ours
		}
	}
	return max(ours, theirs)
}
