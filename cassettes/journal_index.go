package cassettes

import "slices"

// A journalIndex says what stands where in a journal.
type journalIndex struct {
	records []recordPlace
	end     int64       // behind the last whole record
	last    map[int]int // an interaction's id → its last record
	// amended counts the records that a later one supersedes.
	amended   int
	withdrawn map[int]bool // ids of interactions that the next journal leaves out
}

// A recordPlace is where a record stands.
type recordPlace struct {
	typ        byte
	id         int // the interaction's, if it holds one
	start, end int64
}

// add notes the record that follows and ends at end.
func (x *journalIndex) add(typ byte, id int, end int64) {
	if typ == recordAmended {
		x.amended++
	}
	if typ != recordSaved {
		if x.last == nil {
			x.last = make(map[int]int)
		}
		x.last[id] = len(x.records)
	}
	x.records = append(x.records, recordPlace{typ, id, x.end, end})
	x.end = end
}

func (x *journalIndex) has(id int) bool {
	_, ok := x.last[id]
	return ok && !x.withdrawn[id]
}

func (x *journalIndex) withdraw(id int) {
	if !x.has(id) {
		return
	}
	if x.withdrawn == nil {
		x.withdrawn = make(map[int]bool)
	}
	x.withdrawn[id] = true
}

// stale reports whether the journal holds what nothing is to read any more.
func (x *journalIndex) stale() bool { return x.amended > 0 || len(x.withdrawn) > 0 }

// live lists the records that a reader counts, in its order: an amended one stands
// where the first with its id stood, since a mark counts what stands before it.
func (x *journalIndex) live() []recordPlace {
	list := make([]recordPlace, 0, len(x.records))
	at := make(map[int]int, len(x.records))
	for _, r := range x.records {
		switch r.typ {
		case recordInteraction:
			at[r.id] = len(list)
		case recordAmended:
			if i, ok := at[r.id]; ok {
				list[i].start, list[i].end = r.start, r.end
			}
			continue
		}
		list = append(list, r)
	}
	return slices.DeleteFunc(list, func(r recordPlace) bool { return r.typ == recordInteraction && x.withdrawn[r.id] })
}
