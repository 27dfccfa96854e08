package cassettes

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"unicode/utf8"

	"tapedeck/cassettes/clean"
)

// A journalEntry is an interaction in a journal. Text that is UTF-8 stands as
// text, so that a journal can be searched for what should not be in it.
type journalEntry struct {
	ID              int
	Recorded, Cut   string `json:",omitempty"`
	Pinned          bool   `json:",omitempty"`
	Retry           bool   `json:",omitempty"`
	Begin, End      uint64
	Method, URL     exact
	Proto           exact
	RequestHeader   []journalField `json:",omitempty"`
	RequestTrailer  []journalField `json:",omitempty"`
	RequestBody     exact          `json:",omitempty"`
	RequestFile     string         `json:",omitempty"`
	Status          int
	StatusText      exact
	ResponseProto   exact
	ResponseHeader  []journalField  `json:",omitempty"`
	ResponseTrailer []journalField  `json:",omitempty"`
	ResponseBody    exact           `json:",omitempty"`
	ResponseFile    string          `json:",omitempty"`
	Chunked         bool            `json:",omitempty"`
	Informational   []journalInform `json:",omitempty"`
}

type journalField struct {
	Name   exact
	Values []exact
}

type journalInform struct {
	Status int
	Header []journalField
}

// exact is text or bytes: a JSON string when it is UTF-8, else {"base64": …}.
type exact []byte

func (b exact) MarshalJSON() ([]byte, error) {
	if utf8.Valid(b) {
		return json.Marshal(string(b))
	}
	return json.Marshal(map[string][]byte{"base64": b})
}

func (b *exact) UnmarshalJSON(src []byte) error {
	if len(src) > 0 && src[0] == '"' {
		var s string
		err := json.Unmarshal(src, &s)
		*b = exact(s)
		return err
	}
	var m struct {
		Base64 []byte `json:"base64"`
	}
	err := json.Unmarshal(src, &m)
	*b = m.Base64
	return err
}

func encodeEntry(s clean.Stored, requestFile, responseFile string) ([]byte, error) {
	e := journalEntry{
		ID: s.ID, Recorded: s.Recorded, Cut: s.Cut, Pinned: s.Pinned, Retry: s.Retry, Begin: s.Begin, End: s.End,
		Method: exact(s.Method), URL: exact(s.URL), Proto: exact(s.Proto),
		RequestHeader: fieldsOf(s.RequestHeader), RequestTrailer: fieldsOf(s.RequestTrailer),
		RequestBody: s.RequestBody, RequestFile: requestFile,
		Status: s.Status, StatusText: exact(s.StatusText), ResponseProto: exact(s.ResponseProto),
		ResponseHeader: fieldsOf(s.ResponseHeader), ResponseTrailer: fieldsOf(s.ResponseTrailer),
		ResponseBody: s.ResponseBody, ResponseFile: responseFile, Chunked: s.Chunked,
	}
	if requestFile != "" {
		e.RequestBody = nil
	}
	if responseFile != "" {
		e.ResponseBody = nil
	}
	for _, info := range s.Informational {
		e.Informational = append(e.Informational, journalInform{info.Status, fieldsOf(info.Header)})
	}
	return json.Marshal(e)
}

func decodeEntry(src []byte) (entry, error) {
	var e journalEntry
	if err := json.Unmarshal(src, &e); err != nil {
		return entry{}, err
	}
	if e.RequestFile != "" && !isBodyName(e.RequestFile) || e.ResponseFile != "" && !isBodyName(e.ResponseFile) {
		return entry{}, errors.New("it names no body file")
	}
	s := clean.Stored{
		Meta:   clean.Meta{ID: e.ID, Recorded: e.Recorded, Cut: e.Cut, Pinned: e.Pinned, Retry: e.Retry, Begin: e.Begin, End: e.End},
		Method: string(e.Method), URL: string(e.URL), Proto: string(e.Proto),
		RequestHeader: headerOf(e.RequestHeader), RequestTrailer: headerOf(e.RequestTrailer), RequestBody: e.RequestBody,
		Status: e.Status, StatusText: string(e.StatusText), ResponseProto: string(e.ResponseProto),
		ResponseHeader: headerOf(e.ResponseHeader), ResponseTrailer: headerOf(e.ResponseTrailer), ResponseBody: e.ResponseBody,
		Chunked: e.Chunked,
	}
	for _, info := range e.Informational {
		s.Informational = append(s.Informational, clean.Informational{Status: info.Status, Header: headerOf(info.Header)})
	}
	return entry{Stored: s, requestFile: e.RequestFile, responseFile: e.ResponseFile}, nil
}

func fieldsOf(h http.Header) []journalField {
	if len(h) == 0 {
		return nil
	}
	list := make([]journalField, 0, len(h))
	for _, name := range slices.Sorted(maps.Keys(h)) {
		f := journalField{Name: exact(name), Values: []exact{}}
		for _, v := range h[name] {
			f.Values = append(f.Values, exact(v))
		}
		list = append(list, f)
	}
	return list
}

func headerOf(list []journalField) http.Header {
	h := make(http.Header, len(list))
	for _, f := range list {
		values := make([]string, 0, len(f.Values))
		for _, v := range f.Values {
			values = append(values, string(v))
		}
		h[string(f.Name)] = values
	}
	return h
}
