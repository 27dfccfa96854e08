package cassettes

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// A journal holds what was recorded and is not saved yet. All numbers are
// little-endian, all checksums CRC-32C:
//
//	header  "tapedeck-journal" version(1) kind(1) zero(2) checksum of these 20 bytes (4)
//	record  length(4) checksum of the payload(4) checksum of these 8 bytes (4) payload
//	payload type(1) content
//
// A record's head has a checksum of its own, so that a length is known to be
// right before it is believed: a file that ends inside a record whose head is
// right was cut short by a crash, anything else is damage.
const (
	journalMagic    = "tapedeck-journal"
	journalVersion  = 1
	journalHeadSize = len(journalMagic) + 4 + 4
	recordHeadSize  = 12
)

// longestRecord bounds a record's payload, in bytes; two bodies of largestBody
// that JSON escapes sixfold fit.
const longestRecord = 256 << 20

// A journalKind says what the journal's interactions do to the cassette.
type journalKind byte

const (
	extending journalKind = 'e' // they are added to it
	replacing journalKind = 'r' // they take its place
)

// The types of a record.
const (
	recordInteraction byte = 'i' // JSON of journalEntry
	// recordAmended is a recordInteraction that takes the place of the earlier one
	// with its id: a secret that stood in that one was learned afterwards.
	recordAmended byte = 'a'
	// recordSaved says that all before it is in the cassette file whose SHA-256
	// it holds. It is written before that file takes its name, so it counts only
	// when the file has that sum.
	recordSaved byte = 's'
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func journalHeader(kind journalKind) []byte {
	b := append([]byte(journalMagic), journalVersion, byte(kind), 0, 0)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func appendRecord(dst []byte, typ byte, content []byte) []byte {
	sum := crc32.Update(crc32.Checksum([]byte{typ}, castagnoli), castagnoli, content)
	start := len(dst)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(content)+1))
	dst = binary.LittleEndian.AppendUint32(dst, sum)
	dst = binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
	return append(append(dst, typ), content...)
}

// A journal is what can be read of one.
type journal struct {
	kind    journalKind
	entries []entry
	saved   []savedMark
	end     int64 // behind the last whole record
	index   journalIndex
	// torn says that a crash cut the last record short, damaged that the rest
	// cannot be read for another reason.
	torn, damaged bool
}

type savedMark struct {
	sum    string
	before int // how many entries stand before it
}

// dropSaved removes the entries that are in the file with this sum, and reports
// whether the journal says that it was saved as that file.
func (j *journal) dropSaved(sum string) bool {
	for i := len(j.saved) - 1; i >= 0; i-- {
		if j.saved[i].sum == sum {
			j.entries = j.entries[j.saved[i].before:]
			return true
		}
	}
	return false
}

var errLaterJournal = errors.New("it was written by a later version of tapedeck; update tapedeck")

// readJournal reads as far as the journal is whole. The error says that nothing can be
// said of it: it cannot be read at all, or is of a later version.
func readJournal(r io.Reader) (*journal, error) {
	in := bufio.NewReaderSize(r, 1<<16)
	j := &journal{}
	head := make([]byte, journalHeadSize)
	n, err := io.ReadFull(in, head)
	switch {
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		whole := journalHeader(extending)
		j.torn = n > 0
		if n > len(journalMagic) {
			n = len(journalMagic)
		}
		j.damaged = !bytes.Equal(head[:n], whole[:n]) && !allZero(head)
		j.torn = j.torn && !j.damaged
		return j, nil
	case err != nil:
		return nil, err
	}
	if allZero(head) {
		// A power failure can leave a file with its length and without its bytes.
		rest, err := onlyZeros(in)
		j.torn, j.damaged = rest, !rest
		return j, err
	}
	sum := binary.LittleEndian.Uint32(head[journalHeadSize-4:])
	if string(head[:len(journalMagic)]) != journalMagic || sum != crc32.Checksum(head[:journalHeadSize-4], castagnoli) {
		j.damaged = true
		return j, nil
	}
	if head[len(journalMagic)] > journalVersion {
		return nil, errLaterJournal
	}
	j.kind = journalKind(head[len(journalMagic)+1])
	j.end = int64(journalHeadSize)
	j.index.end = j.end
	for {
		done, err := j.next(in)
		if done || err != nil {
			return j, err
		}
	}
}

// next reads one record. done says that there is no further one to be read.
func (j *journal) next(in *bufio.Reader) (done bool, err error) {
	head := make([]byte, recordHeadSize)
	n, err := io.ReadFull(in, head)
	switch {
	case err == io.EOF:
		return true, nil
	case err == io.ErrUnexpectedEOF:
		j.torn = n > 0
		return true, nil
	case err != nil:
		return true, err
	}
	if allZero(head) {
		rest, err := onlyZeros(in)
		j.torn, j.damaged = rest, !rest
		return true, err
	}
	length := binary.LittleEndian.Uint32(head)
	if binary.LittleEndian.Uint32(head[8:]) != crc32.Checksum(head[:8], castagnoli) || length == 0 || length > longestRecord {
		j.damaged = true
		return true, nil
	}
	var payload bytes.Buffer // grows with what is there, whatever the length says
	if _, err := io.CopyN(&payload, in, int64(length)); err == io.EOF {
		j.torn = true
		return true, nil
	} else if err != nil {
		return true, err
	}
	b := payload.Bytes()
	if binary.LittleEndian.Uint32(head[4:]) != crc32.Checksum(b, castagnoli) {
		// The last record may have reached the disk in part; another one may not.
		_, err := in.Peek(1)
		j.torn = err == io.EOF
		j.damaged = !j.torn
		return true, nil
	}
	id := 0
	switch b[0] {
	case recordInteraction:
		e, err := decodeEntry(b[1:])
		if err != nil {
			j.damaged = true
			return true, nil
		}
		j.entries = append(j.entries, e)
		id = e.ID
	case recordAmended:
		e, err := decodeEntry(b[1:])
		if err != nil {
			j.damaged = true
			return true, nil
		}
		for i := len(j.entries) - 1; i >= 0; i-- {
			if j.entries[i].ID == e.ID {
				j.entries[i] = e
				break
			}
		}
		id = e.ID
	case recordSaved:
		j.saved = append(j.saved, savedMark{sum: string(b[1:]), before: len(j.entries)})
	default:
		return true, errLaterJournal
	}
	j.end += int64(recordHeadSize) + int64(length)
	j.index.add(b[0], id, j.end)
	return false, nil
}

func allZero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

func onlyZeros(r io.Reader) (bool, error) {
	buf := make([]byte, 1<<15)
	for {
		n, err := r.Read(buf)
		if !allZero(buf[:n]) {
			return false, nil
		}
		if err == io.EOF {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
}
