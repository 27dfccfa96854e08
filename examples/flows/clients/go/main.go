// Flows with secrets, by Go's net/http and golang.org/x/oauth2.
//
//	go build -o flows . && tapedeck exec -- ./flows oauth
//
// The arguments are flows: oauth, oauth-form, refresh, basic, me, paths. What is
// needed is taken from the environment. ORDER=reversed has Bob come before Alice.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

const (
	auth   = "https://auth.acme.dev"
	orders = "https://api.acme.dev"
)

func main() {
	flows := map[string]func(context.Context) error{
		"oauth":      func(ctx context.Context) error { return clientCredentials(ctx, auth+"/oauth/token") },
		"oauth-form": func(ctx context.Context) error { return clientCredentials(ctx, auth+"/form-only/oauth/token") },
		"refresh":    refresh,
		"basic":      basic,
		"me":         me,
		"parallel":   parallel,
		"paths":      paths,
	}
	for _, name := range os.Args[1:] {
		flow := flows[name]
		if flow == nil {
			fmt.Fprintf(os.Stderr, "no flow is called %q\n", name)
			os.Exit(2)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		err := flow(ctx)
		cancel()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// clientCredentials gets a token and uses it twice. The library finds out by itself
// whether the server takes the secret as Basic or in the form.
func clientCredentials(ctx context.Context, tokens string) error {
	config := clientcredentials.Config{
		ClientID: os.Getenv("OAUTH_CLIENT_ID"), ClientSecret: os.Getenv("OAUTH_CLIENT_SECRET"),
		TokenURL: tokens, Scopes: []string{"orders"},
	}
	client := config.Client(ctx)
	for _, name := range []string{"orders", "orders-again"} {
		if err := get(ctx, client, name, orders+"/v1/orders", nil); err != nil {
			return err
		}
	}
	return nil
}

// refresh gets three access tokens, each with the refresh token that came with
// the one before, and shows that a used one is refused.
func refresh(ctx context.Context) error {
	config := oauth2.Config{
		ClientID: os.Getenv("OAUTH_CLIENT_ID"), ClientSecret: os.Getenv("OAUTH_CLIENT_SECRET"),
		Endpoint: oauth2.Endpoint{TokenURL: auth + "/oauth/token", AuthStyle: oauth2.AuthStyleInParams},
	}
	current := os.Getenv("OAUTH_REFRESH_TOKEN")
	used := ""
	for n := range 3 {
		token, err := config.TokenSource(ctx, &oauth2.Token{RefreshToken: current}).Token()
		if err != nil {
			return err
		}
		if token.RefreshToken == current || !token.Valid() {
			return errors.New("the refresh token is the same, or the token is not valid")
		}
		used, current = current, token.RefreshToken
		fmt.Println("== token", n, token.Type(), token.Extra("generation"))
		client := oauth2.NewClient(ctx, oauth2.StaticTokenSource(token))
		if err := get(ctx, client, fmt.Sprint("orders-", n), orders+"/v1/orders", nil); err != nil {
			return err
		}
	}
	_, err := config.TokenSource(ctx, &oauth2.Token{RefreshToken: used}).Token()
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) {
		return fmt.Errorf("a used refresh token was not refused: %w", err)
	}
	fmt.Println("== used", refused.Response.StatusCode, refused.ErrorCode)
	return nil
}

// people are Alice and Bob, in the order that is asked for.
func people() []string {
	list := []string{"alice", "bob"}
	if os.Getenv("ORDER") == "reversed" {
		slices.Reverse(list)
	}
	return list
}

func basic(ctx context.Context) error {
	return visits(people(), func(user, name string) error {
		return get(ctx, http.DefaultClient, name, orders+"/basic/me", func(r *http.Request) {
			r.SetBasicAuth(user, os.Getenv(strings.ToUpper(user)+"_PASSWORD"))
		})
	})
}

func me(ctx context.Context) error {
	return visits(people(), func(user, name string) error {
		return get(ctx, http.DefaultClient, name, orders+"/me", bearer(user))
	})
}

// visits has everybody come twice.
func visits(people []string, visit func(user, name string) error) error {
	for n := range 2 {
		for _, user := range people {
			if err := visit(user, fmt.Sprint(user, "-", n)); err != nil {
				return err
			}
		}
	}
	return nil
}

func bearer(user string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("Authorization", "Bearer "+os.Getenv(strings.ToUpper(user)+"_TOKEN"))
	}
}

// parallel has both come sixteen times, all at once, and says only whether each
// got an answer that was the other's.
func parallel(ctx context.Context) error {
	var wait sync.WaitGroup
	failed := make(chan error, 32)
	for n := range 32 {
		user := people()[n%2]
		wait.Go(func() {
			status, body, err := fetch(ctx, http.DefaultClient, orders+"/me", bearer(user))
			if err == nil && (status != http.StatusOK || !strings.Contains(body, `"name":"`+user+`"`)) {
				err = fmt.Errorf("%s was answered %d %s", user, status, body)
			}
			failed <- err
		})
	}
	wait.Wait()
	close(failed)
	var errs []error
	for err := range failed {
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	fmt.Println("== parallel 16 each")
	return nil
}

// paths calls APIs whose credentials stand in the path.
func paths(ctx context.Context) error {
	bot := "https://api.telegram.org/bot" + os.Getenv("TELEGRAM_BOT_TOKEN")
	if err := get(ctx, http.DefaultClient, "who", bot+"/getMe", nil); err != nil {
		return err
	}
	if err := post(ctx, "send", bot+"/sendMessage", "application/x-www-form-urlencoded",
		url.Values{"chat_id": {"42"}, "text": {"hello"}}.Encode()); err != nil {
		return err
	}
	return post(ctx, "hook", os.Getenv("SLACK_WEBHOOK_URL"), "application/json", `{"text":"hello"}`)
}

func get(ctx context.Context, client *http.Client, name, address string, prepare func(*http.Request)) error {
	status, body, err := fetch(ctx, client, address, prepare)
	if err != nil {
		return err
	}
	fmt.Printf("== %s %d\n%s\n", name, status, body)
	return nil
}

func post(ctx context.Context, name, address, contentType, body string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		return errors.New("the address is none") // it may hold a secret
	}
	request.Header.Set("Content-Type", contentType)
	status, text, err := send(http.DefaultClient, request)
	if err != nil {
		return err
	}
	fmt.Printf("== %s %d\n%s\n", name, status, text)
	return nil
}

func fetch(ctx context.Context, client *http.Client, address string, prepare func(*http.Request)) (int, string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, "", errors.New("the address is none") // it may hold a secret
	}
	if prepare != nil {
		prepare(request)
	}
	return send(client, request)
}

func send(client *http.Client, request *http.Request) (int, string, error) {
	response, err := client.Do(request)
	if err != nil {
		// An error of net/http names the URL, which may hold a secret.
		if inner := (*url.Error)(nil); errors.As(err, &inner) {
			err = inner.Err
		}
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, strings.TrimSpace(string(body)), err
}
