package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// gitlab keeps a note of a merge request.
//
// https://docs.gitlab.com/api/notes/#merge-requests
type gitlab struct {
	api     *api
	list    string // the address of all notes
	request string // where people read it
	me      int64  // who the token is; 0 before it is asked
}

func gitlabPlace(getenv func(string) string, issue string, wait waiter, say func(string, ...any)) (place, error) {
	if issue != "" {
		return nil, errors.New("-issue is for GitHub")
	}
	base, project, request, token := getenv("CI_API_V4_URL"), getenv("CI_PROJECT_ID"), getenv("CI_MERGE_REQUEST_IID"), getenv("REVIEW_TOKEN")
	if base == "" || project == "" || request == "" || token == "" {
		return nil, errNowhere
	}
	return &gitlab{
		api:     &api{base: strings.TrimSuffix(base, "/"), client: client(), wait: wait, say: say, header: http.Header{"Private-Token": {token}}},
		list:    strings.TrimSuffix(base, "/") + "/projects/" + url.PathEscape(project) + "/merge_requests/" + url.PathEscape(request) + "/notes",
		request: getenv("CI_PROJECT_URL") + "/-/merge_requests/" + url.PathEscape(request),
	}, nil
}

// limit is what GitLab takes for a note.
func (g *gitlab) limit() int { return 1_000_000 }

type gitlabNote struct {
	ID     int64  `json:"id"`
	Body   string `json:"body"`
	System bool   `json:"system"`
	Author struct {
		ID int64 `json:"id"`
	} `json:"author"`
}

func (g *gitlab) post(n gitlabNote) post {
	id := strconv.FormatInt(n.ID, 10)
	return post{id, g.request + "#note_" + id}
}

func (g *gitlab) find(ctx context.Context, mark string) (post, error) {
	if g.me == 0 {
		var user struct {
			ID int64 `json:"id"`
		}
		if _, err := g.api.call(ctx, http.MethodGet, g.api.base+"/user", nil, &user); err != nil {
			return post{}, err
		}
		g.me = user.ID
	}
	for page := "1"; page != ""; {
		var notes []gitlabNote
		header, err := g.api.call(ctx, http.MethodGet, g.list+"?sort=asc&per_page=100&page="+url.QueryEscape(page), nil, &notes)
		if err != nil {
			return post{}, err
		}
		for _, n := range notes {
			if !n.System && n.Author.ID == g.me && strings.HasPrefix(n.Body, mark) {
				return g.post(n), nil
			}
		}
		page = header.Get("X-Next-Page")
	}
	return post{}, nil
}

func (g *gitlab) create(ctx context.Context, body string) (post, error) {
	var made gitlabNote
	_, err := g.api.call(ctx, http.MethodPost, g.list, map[string]string{"body": body}, &made)
	return g.post(made), err
}

func (g *gitlab) update(ctx context.Context, p post, body string, _ bool) (post, error) {
	var made gitlabNote
	_, err := g.api.call(ctx, http.MethodPut, g.list+"/"+p.id, map[string]string{"body": body}, &made)
	return g.post(made), err
}
