package redact

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/encoding/protowire"
)

// strings of a message, however deep, in order; ok is false when the message is broken.
func stringsOf(t *testing.T, s string) (out []string) {
	t.Helper()
	b := []byte(s)
	for len(b) > 0 {
		num, kind, n := protowire.ConsumeField(b)
		if n < 0 {
			t.Fatalf("a broken message: %q", s)
		}
		_, _, tag := protowire.ConsumeTag(b)
		switch kind {
		case protowire.BytesType:
			v, _ := protowire.ConsumeBytes(b[tag:n])
			if num == 2 {
				out = append(out, stringsOf(t, string(v))...)
			} else {
				out = append(out, string(v))
			}
		case protowire.StartGroupType:
			v, _ := protowire.ConsumeGroup(num, b[tag:n])
			out = append(out, stringsOf(t, string(v))...)
		}
		b = b[n:]
	}
	return out
}

// Field 2 holds messages; what a field is called is not known on the wire. The tag that
// follows the first text is a digit: see TestDigitAsTag.
func TestProtobuf(t *testing.T) {
	const kind = "application/x-protobuf; messageType=x"
	v := learnedByName(t, random1)
	got := body(t, v, stripe, InResponse, kind, protoMessage(random1))
	if list := strings.Join(stringsOf(t, got), "|"); list != "REDACTED-0001 |label REDACTED-0001" {
		t.Error(list)
	}
	// Deeply nested, a length that takes two bytes before and one after.
	long := protoMessage("x" + strings.Repeat(random1, 9))
	for range 6 {
		long = string(protowire.AppendString(protowire.AppendTag(nil, 2, protowire.BytesType), long))
	}
	got = body(t, v, stripe, InResponse, kind, long)
	if list := strings.Join(stringsOf(t, got), "|"); strings.Count(list, "REDACTED-0000000001") != 18 {
		t.Error(list)
	}
	// JSON in a field has names.
	in := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), `{"password":"hunter2"}`)
	got = body(t, v, stripe, InResponse, kind, string(in))
	if list := strings.Join(stringsOf(t, got), "|"); list != `{"password":"REDACTED-0002"}` {
		t.Error(list)
	}
	// Nothing to hide: not a byte changes, nor in a length written in a longer way.
	odd := "\x0a\x85\x00hello" + protoMessage("plain text of a field")
	if got := body(t, v, stripe, InResponse, kind, odd); got != odd {
		t.Errorf("%q", got)
	}
	// What only claims to be a message is bytes.
	if got := body(t, v, stripe, InResponse, kind, "\x00\xff"+random1+"\x00"); got != "\x00\xffREDACTED-0001"+strings.Repeat(" ", len(random1)-13)+"\x00" {
		t.Errorf("%q", got)
	}
}

// The tag of field 6 is the digit 2: a number must not run on into it.
func TestDigitAsTag(t *testing.T) {
	b := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), random1)
	b = protowire.AppendString(protowire.AppendTag(b, 6, protowire.BytesType), "next")
	got := body(t, learnedByName(t, random1), stripe, InResponse, "application/protobuf", string(b))
	if list := strings.Join(stringsOf(t, got), "|"); list != "REDACTED-0001 |next" || len(Placeholders(got)) != 1 {
		t.Errorf("%s: %q", list, got)
	}
}

func TestFrames(t *testing.T) {
	const kind = "application/grpc"
	deflated := func(s string) string {
		var b bytes.Buffer
		w := zlib.NewWriter(&b)
		_, _ = w.Write([]byte(s))
		_ = w.Close()
		return b.String()
	}
	zstandard := func(s string) string {
		w, _ := zstd.NewWriter(nil)
		return string(w.EncodeAll([]byte(s), nil))
	}
	want := body(t, learnedByName(t, random1), stripe, InResponse, "application/protobuf", protoMessage(random1))
	for name, in := range map[string]string{"plain": frame(0, protoMessage(random1)), "gzip": frame(1, zipped(protoMessage(random1))),
		"deflate": frame(1, deflated(protoMessage(random1))), "zstd": frame(1, zstandard(protoMessage(random1)))} {
		got := body(t, learnedByName(t, random1), stripe, InResponse, kind, in+frame(0, ""))
		if got != frame(0, want)+frame(0, "") {
			t.Errorf("%s: %q", name, got)
		}
	}
	// Cut in a frame: the whole ones are read, the rest is bytes.
	got := body(t, learnedByName(t, random1), stripe, InResponse, kind, frame(0, protoMessage(random1))+"\x00\x00\x00\x01\x00\x0a\x16"+random1)
	if !strings.HasPrefix(got, frame(0, want)) || strings.Contains(got, random1) {
		t.Errorf("%q", got)
	}
	for name, in := range map[string]string{"unknown codec": frame(1, "\xff\x06\x00\x00sNaPpY"), "no gzip": frame(1, "\x1f\x8bxxxxxxxxxxxx"), "cut": frame(1, zipped(protoMessage(random1))[:20])} {
		_, err := vault(t, Config{}).Body(stripe, InResponse, kind, []byte(in))
		var refusal *Refusal
		if !errors.As(err, &refusal) || refusal.Rule != "grpc-encoding" {
			t.Errorf("%s: %v", name, err)
		}
	}
	web := body(t, learnedByName(t, random1), stripe, InResponse, "application/grpc-web-text+proto", b64(frame(0, protoMessage(random1)))+b64(frame(0x80, "grpc-status: 0\r\n")))
	if raw, ok := webText(web); !ok || raw != frame(0, want)+frame(0x80, "grpc-status: 0\r\n") {
		t.Errorf("%q", web)
	}
}

// Offsets in files stay right, and sums.
func TestFilesStayReadable(t *testing.T) {
	v := learnedByName(t, random1)
	in := jpegFile(random1)
	got := body(t, v, stripe, InResponse, "image/jpeg", in)
	if len(got) != len(in) || strings.ReplaceAll(got, "REDACTED-0001"+strings.Repeat(" ", len(random1)-13), random1) != in {
		t.Errorf("%q", got)
	}

	archive := body(t, v, stripe, InResponse, "application/zip", zipFile(random1))
	r, err := zip.NewReader(strings.NewReader(archive), int64(len(archive)))
	if err != nil || len(r.File) != 2 {
		t.Fatal(err)
	}
	for _, f := range r.File {
		content, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(content) // checks the sum
		if err != nil || !strings.Contains(string(text), "REDACTED-0001") {
			t.Errorf("%s: %q, %v", f.Name, text, err)
		}
	}

	chunk := func(kind, data string) string {
		b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
		b = append(b, kind+data...)
		return string(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE([]byte(kind+data))))
	}
	png := func(text string) string {
		return "\x89PNG\r\n\x1a\n" + chunk("IHDR", "\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00") + chunk("tEXt", "Comment\x00"+text) + chunk("IEND", "")
	}
	if got, want := body(t, v, stripe, InResponse, "image/png", png(random1)), png("REDACTED-0001"+strings.Repeat(" ", len(random1)-13)); got != want {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}

// In bytes a longer placeholder takes its short form, a short secret gives up its
// prefix, and what has no room is masked or refused.
func TestFitted(t *testing.T) {
	tests := []struct{ clean, old, want string }{
		{"REDACTED-0001", "0123456789abcdef", "REDACTED-0001   "},
		{"REDACTED-ACME_TOKEN-0000000001", "0123456789abcdef", "REDACTED0001    "},
		{"sk_test_REDACTED-0000000001", "sk_test_0123456789", "REDACTED0001      "},
		{"REDACTED-0001", "0123456789ab", "REDACTED0001"},
		{"REDACTED-0001", "0123456789a", "0123456789a"},
		{"4988438843884305", "4539578763621486", "4988438843884305"},
	}
	for _, tt := range tests {
		if got := fitted(tt.clean, tt.old); got != tt.want {
			t.Errorf("%s for %s: %q", tt.clean, tt.old, got)
		}
	}
	in := "\x00\x01password=hunter2 \x00" + `{"pin":"12"}` + "\x00"
	if got := body(t, vault(t, Config{}), stripe, InResponse, "application/octet-stream", in); got != "\x00\x01password=XXXXXXX \x00"+`{"pin":"XX"}`+"\x00" {
		t.Errorf("%q", got)
	}
}

// A number that takes more digits changes the lengths around it.
func TestRenumberBody(t *testing.T) {
	ids := map[string]string{"0001": "A00010000"}
	v := learnedByName(t, random1)
	for _, kind := range []string{"application/x-protobuf", "application/grpc", "application/grpc-web-text"} {
		in := protoMessage(random1)
		if kind != "application/x-protobuf" {
			in = frame(0, in)
		}
		if kind == "application/grpc-web-text" {
			in = b64(in)
		}
		clean := body(t, v, stripe, InResponse, kind, in)
		got := RenumberBody(kind, clean, ids)
		back := RenumberBody(kind, got, map[string]string{"A00010000": "0001"})
		if back != clean {
			t.Errorf("%s: there and back: %q, %q", kind, clean, back)
		}
		if kind == "application/grpc-web-text" {
			got, _ = webText(got)
		}
		if kind != "application/x-protobuf" {
			got = got[frameHeader:]
		}
		if list := strings.Join(stringsOf(t, got), "|"); list != "REDACTED-A00000000010000 |label REDACTED-A00000000010000" {
			t.Errorf("%s: %s", kind, list)
		}
	}
	image := body(t, v, stripe, InResponse, "image/jpeg", jpegFile(random1))
	got := RenumberBody("image/jpeg", image, ids)
	if len(got) != len(image) || !strings.Contains(got, "REDACTED-A00010000") || RenumberBody("image/jpeg", got, map[string]string{"A00010000": "0001"}) != image {
		t.Errorf("%q", got)
	}
	if got := RenumberBody(jsonType, `{"a":"REDACTED-0001"}`, ids); got != `{"a":"REDACTED-A00000000010000"}` {
		t.Error(got)
	}
}

func FuzzMessage(f *testing.F) {
	f.Add(protoMessage("%"), byte(0))
	f.Add(frame(0, protoMessage("%"))+frame(1, zipped("%")), byte(1))
	f.Add("\x0a\x20%\x32%", byte(0))
	f.Add(jpegFile("%"), byte(3))
	f.Add(zipFile("%"), byte(3))
	f.Add(b64(frame(0, "\x0a\x03%")), byte(2))
	f.Add("PK\x03\x04PK\x05\x06\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff%", byte(3))
	f.Add("\x89PNG\r\n\x1a\n\xff\xff\xff\xff%", byte(3))
	types := []string{"application/protobuf", "application/grpc", "application/grpc-web-text", "application/zip", "application/connect+json"}
	f.Fuzz(func(t *testing.T, text string, kind byte) {
		v := learnedByName(t, random1)
		contentType := types[int(kind)%len(types)]
		in := strings.ReplaceAll(text, "%", random1)
		once, err := v.Body(stripe, InResponse, contentType, []byte(in))
		if err != nil {
			return
		}
		twice, err := v.Body(stripe, InResponse, contentType, once)
		if err != nil || string(twice) != string(once) {
			t.Errorf("%s is not idempotent, %v:\n in    %q\n once  %q\n twice %q", contentType, err, in, once, twice)
		}
		if strings.Contains(string(once), random1) && v.Check("body", once) == nil {
			t.Errorf("%s of %q holds the secret: %q", contentType, in, once)
		}
		RenumberBody(contentType, string(once), map[string]string{"0001": "A00010000"})
	})
}
