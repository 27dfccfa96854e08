package deck_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"tapedeck/proxy/deck"
)

// A Go test needs no proxy: the deck is the client's transport. The first run
// records, every later run plays; with CI set it only plays.
func ExampleNew() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "orders.yaml")
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"id":"ord_1","client_secret":"ord_1_secret_8fK2mQ4xZ7pL1vB9"}`)
	}))

	order := func() {
		d, err := deck.New(file, deck.Options{Mode: deck.RecordOnce})
		if err != nil {
			fmt.Println(err)
			return
		}
		client := &http.Client{Transport: d}
		resp, err := client.Post(api.URL+"/orders", "application/json", strings.NewReader(`{"item":"tape"}`))
		if err != nil {
			fmt.Println(err)
			return
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(d.Mode(), resp.StatusCode, strings.Contains(string(body), "ord_1_secret_REDACTED"))
		if err := d.Close(deck.Outcome{}); err != nil {
			fmt.Println(err)
		}
	}
	order()
	api.Close() // from here on there is no API
	order()
	// Output:
	// record-only 200 false
	// replay-only 200 true
}
