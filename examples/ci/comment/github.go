package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// placeOf finds out where the job is to write.
func placeOf(getenv func(string) string, issue string, wait waiter, stderr io.Writer) (place, error) {
	say := func(format string, arguments ...any) {
		fmt.Fprintf(stderr, "comment: "+format+"\n", arguments...)
	}
	if getenv("GITLAB_CI") != "" {
		return gitlabPlace(getenv, issue, wait, say)
	}
	repository, token := getenv("GITHUB_REPOSITORY"), getenv("GITHUB_TOKEN")
	if repository == "" || token == "" {
		return nil, errNowhere
	}
	g := &github{
		api: &api{base: strings.TrimSuffix(or(getenv("GITHUB_API_URL"), "https://api.github.com"), "/"), client: client(), wait: wait, say: say, header: http.Header{
			"Accept":               {"application/vnd.github+json"},
			"Authorization":        {"Bearer " + token},
			"X-Github-Api-Version": {"2022-11-28"},
		}},
		title: issue,
	}
	g.repository = g.api.base + "/repos/" + repository
	if issue == "" {
		number, err := pullRequest(getenv("GITHUB_EVENT_PATH"))
		if err != nil {
			return nil, err
		}
		g.list = g.repository + "/issues/" + strconv.Itoa(number) + "/comments"
	} else {
		g.list = g.repository + "/issues"
	}
	return g, nil
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// pullRequest reads the number of the pull request off the event that began the job.
func pullRequest(file string) (int, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0, errNowhere
	}
	var event struct {
		PullRequest struct {
			Number int `json:"number"`
		} `json:"pull_request"`
	}
	if err := json.Unmarshal(data, &event); err != nil || event.PullRequest.Number <= 0 {
		return 0, errNowhere
	}
	return event.PullRequest.Number, nil
}

// github keeps a comment of a pull request, or an issue.
//
// https://docs.github.com/en/rest/issues/comments, https://docs.github.com/en/rest/issues/issues
type github struct {
	api        *api
	repository string // its address
	list       string // the address of all posts
	title      string // of an issue; "" for a comment
}

// limit is what GitHub takes for a comment or an issue.
func (g *github) limit() int { return 65536 }

type githubPost struct {
	ID          int64  `json:"id"`
	Number      int    `json:"number"` // of an issue
	Body        string `json:"body"`
	Address     string `json:"html_url"`
	Association string `json:"author_association"`
	User        struct {
		Type string `json:"type"`
	} `json:"user"`
	PullRequest *struct{} `json:"pull_request"`
}

// ours reports a post that a job of this repository, or somebody who may write to
// it, has made: anybody can write the mark into a comment.
func (p githubPost) ours(mark string) bool {
	trusted := p.User.Type == "Bot" || p.Association == "OWNER" || p.Association == "MEMBER" || p.Association == "COLLABORATOR"
	return trusted && p.PullRequest == nil && strings.HasPrefix(p.Body, mark)
}

func (g *github) post(p githubPost) post {
	id := strconv.FormatInt(p.ID, 10)
	if g.title != "" {
		id = strconv.Itoa(p.Number)
	}
	return post{id, p.Address}
}

var nextPage = regexp.MustCompile(`<([^<>]+)>;\s*rel="next"`)

func (g *github) find(ctx context.Context, mark string) (post, error) {
	address := g.list + "?per_page=100"
	if g.title != "" {
		address += "&state=open"
	}
	for {
		var page []githubPost
		header, err := g.api.call(ctx, http.MethodGet, address, nil, &page)
		if err != nil {
			return post{}, err
		}
		for _, p := range page {
			if p.ours(mark) {
				return g.post(p), nil
			}
		}
		m := nextPage.FindStringSubmatch(header.Get("Link"))
		if m == nil {
			return post{}, nil
		}
		if address = m[1]; g.api.same(address) != nil {
			return post{}, g.api.same(address)
		}
	}
}

func (g *github) create(ctx context.Context, body string) (post, error) {
	fields := map[string]string{"body": body}
	if g.title != "" {
		fields["title"] = g.title
	}
	var made githubPost
	_, err := g.api.call(ctx, http.MethodPost, g.list, fields, &made)
	return g.post(made), err
}

func (g *github) update(ctx context.Context, p post, body string, done bool) (post, error) {
	fields := map[string]string{"body": body}
	address := g.repository + "/issues/comments/" + p.id
	if g.title != "" {
		address = g.repository + "/issues/" + p.id
		if done {
			fields["state"] = "closed"
		}
	}
	var made githubPost
	_, err := g.api.call(ctx, http.MethodPatch, address, fields, &made)
	return g.post(made), err
}
