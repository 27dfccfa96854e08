package clean

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
)

// Same reports whether two interactions hold the same request and the same answer,
// whatever is known of them beside that. One that cannot be read is like no other.
func (in Interaction) Same(other Interaction) bool {
	a, err := in.Stored()
	if err != nil {
		return false
	}
	b, err := other.Stored()
	if err != nil {
		return false
	}
	return a.Method == b.Method && a.URL == b.URL && a.Proto == b.Proto &&
		a.Status == b.Status && a.StatusText == b.StatusText && a.ResponseProto == b.ResponseProto && a.Chunked == b.Chunked &&
		sameHeader(a.RequestHeader, b.RequestHeader) && sameHeader(a.RequestTrailer, b.RequestTrailer) &&
		sameHeader(a.ResponseHeader, b.ResponseHeader) && sameHeader(a.ResponseTrailer, b.ResponseTrailer) &&
		bytes.Equal(a.RequestBody, b.RequestBody) && bytes.Equal(a.ResponseBody, b.ResponseBody) &&
		sameLarge(a.ResponseLarge, b.ResponseLarge) &&
		slices.EqualFunc(a.Informational, b.Informational, func(x, y Informational) bool {
			return x.Status == y.Status && sameHeader(x.Header, y.Header)
		})
}

func sameHeader(a, b http.Header) bool { return maps.EqualFunc(a, b, slices.Equal) }

// sameLarge compares by the names, which are the bodies' sums.
func sameLarge(a, b *Large) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.latest().name == b.latest().name
}
