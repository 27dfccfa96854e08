// Command comment keeps one comment of a pull request or merge request, or one issue,
// up to date: it finds its own by a mark that readers do not see, and writes it anew.
//
//	comment review.md                          in a job of GitHub Actions or GitLab CI/CD
//	comment -issue 'The API has changed' drift.md
//	comment -link "$PAGE_URL" review.md
//	comment -counts diff.json                  prints what "tapedeck diff --format json" counted
//
// An empty file says that there is nothing to say: then no comment is made, one that is
// there says so, and an issue is closed. Where the token may not write, as in a pull
// request from a fork, nothing is posted, and the exit code is 0: the job's own page has
// the same text. Tokens come from the environment: GITHUB_TOKEN, or REVIEW_TOKEN with
// GitLab, whose job tokens may not write comments.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Getenv, pauseFor, os.Stdout, os.Stderr))
}

// A waiter returns when the time has passed, or with the context's error.
type waiter func(ctx context.Context, d time.Duration) error

func run(ctx context.Context, arguments []string, getenv func(string) string, wait waiter, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("comment", flag.ContinueOnError)
	flags.SetOutput(stderr)
	mark := flags.String("mark", "tapedeck", "`WORD` that tells this comment from others of the same program")
	issue := flags.String("issue", "", "keep an issue with this `TITLE`, and not a comment")
	link := flags.String("link", "", "`URL` of the whole page, told at the end")
	counts := flags.Bool("counts", false, "post nothing: print what the JSON of tapedeck diff counts, as lines for GITHUB_OUTPUT")
	if err := flags.Parse(arguments); err != nil {
		return 2
	}
	if flags.NArg() != 1 || strings.Trim(*mark, "abcdefghijklmnopqrstuvwxyz-") != "" || *mark == "" {
		fmt.Fprintln(stderr, "comment: name the file with the text; a mark is made of small letters and hyphens")
		return 2
	}
	text, err := os.ReadFile(flags.Arg(0))
	if err != nil {
		fmt.Fprintf(stderr, "comment: %v\n", err)
		return 2
	}
	if *counts {
		return printCounts(stdout, stderr, text)
	}
	where, err := placeOf(getenv, *issue, wait, stderr)
	if errors.Is(err, errNowhere) {
		fmt.Fprintf(stderr, "comment: not posted: %v\n", err)
		return 0
	}
	if err != nil {
		fmt.Fprintf(stderr, "comment: %v\n", err)
		return 2
	}
	address, err := keep(ctx, where, "<!-- "+*mark+"-review -->", string(text), *link)
	switch {
	case errors.Is(err, errForbidden):
		fmt.Fprintln(stderr, "comment: not posted: the token may not write here, as is so for a pull request from a fork")
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "comment: %v\n", err)
		return 1
	case address != "" && !strings.ContainsFunc(address, unicode.IsControl):
		fmt.Fprintln(stdout, address)
	}
	return 0
}

// A post is a comment or issue that is there already. The zero value is none.
type post struct{ id, address string }

// A place holds at most one post of ours.
type place interface {
	// find returns our post, which begins with mark.
	find(ctx context.Context, mark string) (post, error)
	create(ctx context.Context, body string) (post, error)
	// update writes a post anew; done says that there is nothing to say any more.
	update(ctx context.Context, p post, body string, done bool) (post, error)
	// limit is the longest body, in characters.
	limit() int
}

var (
	errForbidden = errors.New("the token may not do this")
	errNowhere   = errors.New("this is no job of a pull request or merge request, or there is no token")
)

// nothing stands in a comment whose differences are gone.
const nothing = "No cassette differs any more.\n"

// keep makes text the post's, and returns its address; "" when there is none.
func keep(ctx context.Context, where place, mark, text, link string) (string, error) {
	done := strings.TrimSpace(text) == ""
	if done {
		text = nothing
	}
	body := fitted(mark+"\n"+text, link, where.limit())
	var err error
	for range attempts {
		var p post
		if p, err = where.find(ctx, mark); err != nil {
			return "", err
		}
		switch {
		case p.id != "":
			p, err = where.update(ctx, p, body, done)
		case done:
			return "", nil
		default:
			p, err = where.create(ctx, body)
		}
		if err == nil {
			return p.address, nil
		}
		// The server may have done it and failed afterwards: look again before the next one.
		if maybe := (*uncertainError)(nil); !errors.As(err, &maybe) {
			return "", err
		}
	}
	return "", err
}

// fitted cuts body at the end of a line so that it and the link fit.
func fitted(body, link string, most int) string {
	end := ""
	if link != "" {
		end = "\n[The whole page](" + link + ")\n"
	}
	if utf8.RuneCountInString(body)+utf8.RuneCountInString(end) <= most {
		return body + end
	}
	const cut = "\n\n… the rest is on the page that this job has kept.\n"
	runes := []rune(body)[:most-utf8.RuneCountInString(end)-utf8.RuneCountInString(cut)]
	body = string(runes)
	if i := strings.LastIndexByte(body, '\n'); i > 0 {
		body = body[:i]
	}
	return body + cut + end
}

// client is how the APIs are reached. A redirect to another host would take the token there.
func client() *http.Client {
	return &http.Client{
		Timeout: 30 * time.Second,
		CheckRedirect: func(next *http.Request, via []*http.Request) error {
			if next.URL.Host != via[0].URL.Host || next.URL.Scheme != via[0].URL.Scheme || len(via) > 3 {
				return errors.New("it is answered by a redirect to another host")
			}
			return nil
		},
	}
}
