package diff

import (
	"slices"

	"tapedeck/cassettes/clean"
)

// report writes the outcome of a comparison into a file's part of the Diff.
func (c *comparison) report(f *File) error {
	followers := c.followers()
	report := func(j int) error {
		for _, gone := range followers[j] {
			one, err := c.removed(gone)
			if err != nil {
				return err
			}
			f.Interactions = append(f.Interactions, one)
		}
		return nil
	}
	if err := report(-1); err != nil {
		return err
	}
	for i := range c.fresh {
		switch j := c.to[i]; {
		case j < 0:
			one, err := c.added(i)
			if err != nil {
				return err
			}
			f.Interactions = append(f.Interactions, one)
			continue
		case len(c.changes[i]) > 0 || c.old[j].ID != c.fresh[i].ID:
			one, err := c.changed(i, j)
			if err != nil {
				return err
			}
			f.Interactions = append(f.Interactions, one)
		default:
			f.Unchanged++
		}
		if err := report(c.to[i]); err != nil {
			return err
		}
	}
	f.Order = c.order()
	if f.Order != nil && len(c.old) > 0 && len(c.fresh) > 0 {
		f.Changes = append(f.Changes, c.reordered())
	}
	return nil
}

// followers lists what is gone by the old position of what it followed that is still there,
// -1 for the top.
func (c *comparison) followers() map[int][]int {
	out := make(map[int][]int)
	last := -1
	for j := range c.old {
		if c.from[j] >= 0 {
			last = j
		} else {
			out[last] = append(out[last], j)
		}
	}
	return out
}

func describe(in clean.Interaction) (Interaction, error) {
	resp, err := in.Response()
	if err != nil {
		return Interaction{}, interactionError(in, err)
	}
	r := in.Request()
	return Interaction{ID: in.ID, Method: r.Method(), URL: r.RawURL(), Status: resp.Status()}, nil
}

func (c *comparison) added(i int) (Interaction, error) {
	in := c.fresh[i]
	one, err := describe(in)
	if err != nil {
		return one, err
	}
	one.Fate, one.Route, one.NewSide = IsNew, c.routes[i], &c.fresh[i]
	if i > 0 {
		after := c.fresh[i-1].ID
		one.After = &after
	}
	one.Recorded, err = recordedOf(in)
	return one, err
}

func (c *comparison) removed(j int) (Interaction, error) {
	in := c.old[j]
	one, err := describe(in)
	if err != nil {
		return one, err
	}
	one.Fate, one.Route, one.OldSide = IsGone, c.gone[j], &c.old[j]
	one.Recorded, err = recordedOf(in)
	return one, err
}

func (c *comparison) changed(i, j int) (Interaction, error) {
	one, err := describe(c.fresh[i])
	if err != nil {
		return one, err
	}
	one.Fate, one.Route, one.Changes = IsChanged, c.routes[i], c.changes[i]
	one.OldSide, one.NewSide = &c.old[j], &c.fresh[i]
	if was := c.old[j].ID; was != one.ID {
		one.Was = &was
	}
	return one, nil
}

// order is the order of the new file where it cannot be told from that of the old one.
func (c *comparison) order() []int {
	ids := make([]int, len(c.fresh))
	kept := make([]int, 0, len(c.old))
	for i, in := range c.fresh {
		ids[i] = in.ID
	}
	for _, i := range c.from {
		if i >= 0 {
			kept = append(kept, ids[i])
		}
	}
	inserts := make([]insert, 0)
	for i, j := range c.to {
		if j < 0 {
			one := insert{id: ids[i]}
			if i > 0 {
				one.after = &ids[i-1]
			}
			inserts = append(inserts, one)
		}
	}
	got, err := inserted(kept, inserts)
	if err == nil && slices.Equal(got, ids) {
		return nil
	}
	return ids
}

// reordered is the change of a file whose interactions stand in another order. Playing goes
// by the order of what has to do with each other: it is more than volatile where two
// requests with the same key, or one that changes something and another to the same
// host, have changed places.
func (c *comparison) reordered() Change {
	ch := Change{Part: Meta, Place: "order", Kind: Moved, Grade: Volatile, Why: "requests that have nothing to do with each other"}
	highest := make(map[string]int) // by host, the old position of the last that is not safe
	any := make(map[string]int)     // and of the last at all
	keys := make(map[string]int)
	for i, j := range c.to {
		if j < 0 {
			continue
		}
		r := c.fresh[i].Request()
		host, key := r.URL().Host, r.Method()+" "+r.RawURL()
		unsafe := r.Method() != "GET" && r.Method() != "HEAD" && r.Method() != "OPTIONS"
		if at, ok := keys[key]; ok && at > j {
			ch.Grade, ch.Why = Changed, "requests that are the same"
			break
		}
		if at, ok := highest[host]; ok && at > j || unsafe && any[host] > j {
			ch.Grade, ch.Why = Changed, "requests to the same host, of which one changes something"
		}
		keys[key] = max(keys[key], j)
		any[host] = max(any[host], j)
		if unsafe {
			highest[host] = max(highest[host], j)
		}
	}
	return ch
}
