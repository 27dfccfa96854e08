package audit

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestValuesAreFoundInEveryEncodingOfEveryFormat(t *testing.T) {
	const given = "plainly a secret/of mine"
	v, err := ReadValues(strings.NewReader("# not a comment, a value\r\nACME_PASSWORD=\"" + given + "\"\nLANG=en_US.UTF-8\n\nshort\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Skipped) != 2 || !strings.Contains(v.Skipped[0], "line 5 is shorter") || strings.Contains(strings.Join(v.Skipped, ""), "short\n") {
		t.Errorf("skipped: %q", v.Skipped)
	}
	text, err := json.Marshal(`{"inner":"` + given + `"}`)
	if err != nil {
		t.Fatal(err)
	}
	data := []byte("version: 1\ninteractions:\n- request:\n    method: GET\n    url: https://api.acme.dev/x?q=plainly+a+secret%2Fof+mine\n    # " + given + "\n" +
		"  response:\n    code: 200\n    headers: {Content-Type: [application/json]}\n    body: !!binary " +
		base64.StdEncoding.EncodeToString([]byte(`{"a":`+string(text)+`,"b":"`+base64.StdEncoding.EncodeToString([]byte("x"+given))+`"}`)) + "\n")
	report := look(t, newAuditor(t, Config{Values: v}), "x.yaml", data)
	var got []string
	for _, f := range report.Findings {
		got = append(got, itoa(f.Line)+" "+f.Place+": "+f.Why)
	}
	want := []string{
		"5 request url: the value of ACME_PASSWORD, as it is",
		"6 comment: the value of ACME_PASSWORD, as it is",
		"10 response body.a: the value of ACME_PASSWORD, as it is",
		"10 response body.b: the value of ACME_PASSWORD, in base64",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if _, err := ReadValues(strings.NewReader("\n\n")); err == nil {
		t.Error("an empty list is no list")
	}
}

func TestFindGoesThroughFolders(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.yaml": "interactions: []\nversion: 2\n", "sub/b": "http_interactions: []\n", "sub/c.txt": "interactions:\n  - {broken", "sub/broken.yml": "interactions: [\n",
		"d.json": `{"a":1}`, ".git/e.yaml": "interactions: []\nversion: 1\n", "node_modules/f.yaml": "interactions: []\nversion: 1\n", ".tapedeck/g.yaml": "interactions: []\nversion: 1\n",
		"binary.yaml": "interactions:\x00",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(dir, filepath.Join(dir, "sub", "loop")); err != nil {
		t.Fatal(err)
	}
	files, skipped, err := Find([]string{dir, filepath.Join(dir, "a.yaml")}, false)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 6 || skipped != 1 {
		t.Errorf("%d files, %d skipped: %v", len(files), skipped, files)
	}
	s, err := newAuditor(t, Config{Own: true}).Files(context.Background(), files, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Reports) != 2 || s.Skipped != 3 || len(s.Errors) != 1 || !strings.Contains(s.Errors[0].Error(), "broken.yml:2: ") {
		t.Errorf("%d reports, %d skipped, errors %v", len(s.Reports), s.Skipped, s.Errors)
	}
}

// TestSARIF holds the output against what SARIF 2.1.0 requires (sections 3.13 to 3.30) and
// GitHub reads.
func TestSARIF(t *testing.T) {
	repository := t.TempDir()
	dir := filepath.Join(repository, "api tests")
	for _, folder := range []string{filepath.Join(repository, ".git"), dir} {
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	value := newRandom().of(alnum, 24)
	data := []byte(strings.ReplaceAll(goVCR, "VALUE", value))
	prints := func(data []byte) (list []string) {
		s := &Summary{Reports: []*Report{look(t, newAuditor(t, Config{Own: true}), "x.yaml", data)}}
		var out bytes.Buffer
		if err := s.WriteSARIF(&out, dir, "v1.2.3"); err != nil {
			t.Fatal(err)
		}
		var log struct {
			Schema  string `json:"$schema"`
			Version string
			Runs    []struct {
				Tool struct {
					Driver struct {
						Name  string
						Rules []struct {
							ID               string
							ShortDescription struct{ Text string }
						}
					}
				}
				Results []struct {
					RuleID    string
					RuleIndex int
					Level     string
					Message   struct{ Text string }
					Locations []struct {
						PhysicalLocation struct {
							ArtifactLocation struct{ URI, URIBaseID string }
							Region           struct{ StartLine int }
						}
					}
					PartialFingerprints map[string]string
				}
			}
		}
		dec := json.NewDecoder(&out)
		if err := dec.Decode(&log); err != nil {
			t.Fatal(err)
		}
		if log.Version != "2.1.0" || log.Schema == "" || len(log.Runs) != 1 || log.Runs[0].Tool.Driver.Name != "tapedeck" || len(log.Runs[0].Results) != 7 {
			t.Fatalf("%+v", log)
		}
		rules := log.Runs[0].Tool.Driver.Rules
		for _, r := range log.Runs[0].Results {
			at := r.Locations[0].PhysicalLocation
			if rules[r.RuleIndex].ID != r.RuleID || rules[r.RuleIndex].ShortDescription.Text == "" || r.Level != "error" || r.Message.Text == "" ||
				at.ArtifactLocation.URI != "api%20tests/x.yaml" || at.ArtifactLocation.URIBaseID != "%SRCROOT%" || at.Region.StartLine < 1 {
				t.Errorf("%+v", r)
			}
			list = append(list, r.PartialFingerprints["tapedeckAudit/v1"])
		}
		return list
	}
	before := prints(data)
	if slices.Sort(before); len(slices.Compact(slices.Clone(before))) != 7 {
		t.Errorf("two findings have the same fingerprint: %v", before)
	}
	// Neither another value nor another line makes it another alert.
	after := prints(append([]byte("# a line more\n"), bytes.ReplaceAll(data, []byte(value), []byte(newRandom().of(hexes, 32)))...))
	if slices.Sort(after); !slices.Equal(before, after) {
		t.Error("the fingerprints depend on the value or the line")
	}
	if got := uriOf("/srv", "/srv/x", "../../else/y.yaml"); got != "file:///else/y.yaml" {
		t.Errorf("outside of the repository: %s", got)
	}
}
