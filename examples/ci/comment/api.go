package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// attempts is how often a request is made before it counts as failed.
const attempts = 5

// longestWait bounds what a server may ask to wait for.
const longestWait = 2 * time.Minute

// An api is a REST API with a token.
type api struct {
	base   string // without a slash at the end
	header http.Header
	client *http.Client
	wait   waiter
	say    func(format string, arguments ...any)
}

// An uncertainError is a failure after which the server may have done what was asked.
type uncertainError struct{ status string }

func (e *uncertainError) Error() string { return "the server failed: " + e.status }

// call makes a request and decodes the answer. Reads and updates are made again when the
// server fails; what creates something is only when the server says that it has not.
func (a *api) call(ctx context.Context, method, address string, body, into any) (http.Header, error) {
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	for attempt := 1; ; attempt++ {
		header, pause, err := a.once(ctx, method, address, data, into)
		if err == nil || pause < 0 {
			return header, err
		}
		if pause == 0 {
			if method == http.MethodPost || attempt == attempts {
				return nil, err
			}
			pause = time.Second << (attempt - 1)
		}
		if attempt == attempts || pause > longestWait {
			return nil, err
		}
		a.say("%v; trying again in %s", err, pause)
		if err := a.wait(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// once makes a request. pause says what an error means: below 0 it is final, 0 the server
// failed, else the server asks to wait and has done nothing.
func (a *api) once(ctx context.Context, method, address string, data []byte, into any) (header http.Header, pause time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(data))
	if err != nil {
		return nil, -1, errors.New("the API's address is not one; check the job's variables")
	}
	for name, values := range a.header {
		req.Header[name] = values
	}
	if len(data) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := a.client.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, -1, ctx.Err()
		}
		var wrong *url.Error
		if errors.As(err, &wrong) {
			err = wrong.Err // without the address
		}
		return nil, 0, &uncertainError{err.Error()}
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	switch code := resp.StatusCode; {
	case code/100 == 2 && err == nil:
		if err := json.Unmarshal(answer, into); err != nil {
			return nil, -1, fmt.Errorf("%s: the answer is not the JSON that was expected; is this the API's address?", resp.Status)
		}
		return resp.Header, 0, nil
	case code/100 == 2, code >= 500:
		return nil, 0, &uncertainError{resp.Status}
	case code == http.StatusTooManyRequests, code == http.StatusForbidden && limited(resp.Header):
		return nil, asked(resp.Header), fmt.Errorf("the server asks to wait: %s", resp.Status)
	case code == http.StatusForbidden:
		return nil, -1, errForbidden
	case code == http.StatusUnauthorized:
		return nil, -1, errors.New("401: the token is not valid; check that it has not expired")
	case code == http.StatusNotFound:
		return nil, -1, errors.New("404: the token sees no such project or request; check its permissions")
	}
	return nil, -1, fmt.Errorf("the server refused it: %s", resp.Status)
}

// limited tells a limit of the rate from a want of permission, both of which are 403 with GitHub.
func limited(h http.Header) bool {
	return h.Get("Retry-After") != "" || h.Get("X-Ratelimit-Remaining") == "0"
}

// asked is how long the server asks to wait; a minute when it does not say, as GitHub
// wants for its secondary limits.
func asked(h http.Header) time.Duration {
	if seconds, err := strconv.Atoi(h.Get("Retry-After")); err == nil && seconds >= 0 {
		return max(time.Duration(seconds)*time.Second, time.Second)
	}
	if reset, err := strconv.ParseInt(h.Get("X-Ratelimit-Reset"), 10, 64); err == nil {
		return max(time.Until(time.Unix(reset, 0)), time.Second)
	}
	return time.Minute
}

// same reports an error unless a page's address is on the API's own host.
func (a *api) same(address string) error {
	base, err := url.Parse(a.base)
	if err != nil {
		return err
	}
	next, err := url.Parse(address)
	if err != nil || next.Scheme != base.Scheme || next.Host != base.Host {
		return errors.New("the API names a next page on another host")
	}
	return nil
}

func pauseFor(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
