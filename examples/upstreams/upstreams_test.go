//go:build e2e

package upstreams

import (
	"net"
	"net/http"
	"path/filepath"
	"testing"
)

func TestServersAnswerUnderTheirNames(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	programs, err := Build(t.Context(), root, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	apis, err := Start(t.Context(), programs, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer apis.Stop()

	for _, h2 := range []bool{false, true} {
		transport, err := apis.Transport()
		if err != nil {
			t.Fatal(err)
		}
		defer transport.CloseIdleConnections()
		transport.ForceAttemptHTTP2 = h2
		for url, status := range map[string]int{
			"https://api.stripe.com/v1/customers":                            http.StatusUnauthorized,
			"https://api.fastspring.com/v2/checkouts/nobody/main/sessions":   http.StatusNotFound,
			"https://api.digitalriver.com/customers/5823594809?expand=never": http.StatusUnauthorized,
		} {
			response, err := (&http.Client{Transport: transport}).Post(url, "application/json", nil)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != status || (response.ProtoMajor == 2) != h2 {
				t.Errorf("%s: got %s over %s, want %d, h2 %v", url, response.Status, response.Proto, status, h2)
			}
		}
	}

	if err := apis.Stop(); err != nil {
		t.Fatal(err)
	}
	if conn, err := net.Dial("tcp", apis.Address); err == nil {
		conn.Close()
		t.Error("the front still listens after Stop")
	}
}
