package main

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
)

// The subset of JUnit's XML that GitLab, Jenkins and the actions for GitHub read.
// https://docs.gitlab.com/ci/testing/unit_test_reports/
type (
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		File    string        `xml:"file,attr,omitempty"`
		Time    string        `xml:"time,attr"`
		Failure *junitFailure `xml:"failure,omitempty"`
		Out     string        `xml:"system-out,omitempty"`
	}
	junitSuite struct {
		Name      string      `xml:"name,attr"`
		Tests     int         `xml:"tests,attr"`
		Failures  int         `xml:"failures,attr"`
		Errors    int         `xml:"errors,attr"`
		Skipped   int         `xml:"skipped,attr"`
		Time      string      `xml:"time,attr"`
		Timestamp string      `xml:"timestamp,attr"`
		Cases     []junitCase `xml:"testcase"`
	}
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
)

// junit is the report in the XML that CI systems show: one suite per cassette, in
// it one case for the run, which passes, and one for each fault, which fails. The
// names stay the same from run to run, since CI systems keep a history by them.
func junit(report runReport) ([]byte, error) {
	all := junitSuites{Name: "tapedeck", Time: seconds(report.Seconds)}
	suite := func(name, file, out string) {
		one := junitSuite{Name: oneLine(name), Time: seconds(0), Timestamp: report.Started.UTC().Format("2006-01-02T15:04:05")}
		used := make(map[string]int)
		add := func(c junitCase) {
			// Cases of one name count as one case in GitLab.
			if used[c.Name]++; used[c.Name] > 1 {
				c.Name += fmt.Sprintf(" (%d)", used[c.Name])
			}
			c.Class, c.File, c.Time = one.Name, plainText(file), seconds(0)
			one.Cases = append(one.Cases, c)
			one.Tests++
		}
		add(junitCase{Name: "run", Out: plainText(out)})
		for _, f := range report.Faults {
			if f.Cassette != file {
				continue
			}
			message := oneLine(f.Reason)
			if f.Times > 1 {
				message += times(f.Times)
			}
			add(junitCase{Name: string(f.Kind) + ": " + oneLine(f.Subject), Failure: &junitFailure{message, string(f.Kind), plainText(f.text)}})
			one.Failures++
		}
		all.Tests += one.Tests
		all.Failures += one.Failures
		all.Suites = append(all.Suites, one)
	}
	if len(report.Refused) > 0 || len(report.Cassettes) == 0 {
		suite("(no cassette)", "", fmt.Sprintf("%d refused", total(report.Refused)))
	}
	for _, r := range report.Cassettes {
		suite(r.Cassette, r.Cassette, counts(r))
	}
	data, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return nil, err
	}
	return append([]byte(xml.Header), append(data, '\n')...), nil
}

// seconds is a duration as JUnit writes it.
func seconds(s float64) string { return strconv.FormatFloat(s, 'f', 3, 64) }

// oneLine joins the lines of a text, for attributes and table cells.
func oneLine(s string) string { return strings.Join(strings.Fields(plainText(s)), " ") }

// plainText leaves out what XML 1.0 and terminals do not take: control
// characters, and bytes that are not UTF-8 (XML 1.0, section 2.2).
func plainText(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == '\n' || c == '\t':
			return c
		case c < ' ' || c >= 0x7f && c < 0xa0 || c == 0xfffe || c == 0xffff:
			return -1
		}
		return c
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
