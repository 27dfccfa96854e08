package child

import (
	"fmt"
	"io"
	"strings"
)

// Formats lists the forms that Write knows.
var Formats = []string{"shell", "dotenv", "github", "powershell"}

// Write prints variables for a shell to evaluate ("shell", "powershell"), for a .env file
// ("dotenv"), or for appending to the file that $GITHUB_ENV names ("github"). It returns the names
// that the format cannot set: GitHub refuses NODE_OPTIONS in that file, so that it has to stand in
// the workflow's env.
func Write(w io.Writer, format string, variables []Variable) (left []string, err error) {
	var line func(Variable) string
	switch format {
	case "shell":
		line = func(v Variable) string { return "export " + v.Name + "=" + quoteShell(v.Value) }
	case "dotenv":
		line = func(v Variable) string { return v.Name + "=" + quoteDotenv(v.Value) }
	case "github":
		line = githubLine
	case "powershell":
		line = func(v Variable) string { return "${env:" + v.Name + "} = " + quotePowerShell(v.Value) }
	default:
		return nil, fmt.Errorf("format %q is unknown; choose one of %s", format, strings.Join(Formats, ", "))
	}
	var out strings.Builder
	for _, v := range variables {
		if format == "github" && v.Name == "NODE_OPTIONS" {
			left = append(left, v.Name)
			continue
		}
		out.WriteString(line(v) + "\n")
	}
	_, err = io.WriteString(w, out.String())
	return left, err
}

// quoteShell writes one word for a POSIX shell.
func quoteShell(value string) string {
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}

// quoteDotenv leaves plain values bare, since `docker run --env-file` takes quotes as part of the
// value. Single quotes are literal in Compose, in Node's and in Ruby's dotenv; a value that holds
// one is double-quoted.
func quoteDotenv(value string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
			strings.ContainsRune("_./:@,+%=*[]|-", r)
	}
	switch {
	case strings.IndexFunc(value, func(r rune) bool { return !plain(r) }) < 0:
		return value
	case !strings.ContainsAny(value, "'\n"):
		return "'" + value + "'"
	default:
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "\n", `\n`).Replace(value) + `"`
	}
}

// githubLine writes what $GITHUB_ENV takes: the value as it is, or between two marks when it has
// several lines.
func githubLine(v Variable) string {
	if !strings.ContainsAny(v.Value, "\r\n") {
		return v.Name + "=" + v.Value
	}
	mark := "END"
	for strings.Contains(v.Value, mark) {
		mark += "_"
	}
	return v.Name + "<<" + mark + "\n" + v.Value + "\n" + mark
}

// quotePowerShell writes a literal string. PowerShell takes typographic quotes for straight ones
// (about_Quoting_Rules), so those are doubled, too.
func quotePowerShell(value string) string {
	var out strings.Builder
	for _, r := range value {
		if strings.ContainsRune("'\u2018\u2019\u201a\u201b", r) {
			out.WriteRune(r)
		}
		out.WriteRune(r)
	}
	return "'" + out.String() + "'"
}
