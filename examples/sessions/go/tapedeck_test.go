package shop

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"testing"
)

// httpClient makes a client whose requests belong to this test: under
//
//	tapedeck exec --cassettes testdata/cassettes -- go test ./...
//
// TestRefund has testdata/cassettes/TestRefund.yaml, and the subtest EUR of
// TestBuy has testdata/cassettes/TestBuy/EUR.yaml. A request that is not recorded
// fails this test and no other. Without tapedeck it is a plain client.
func httpClient(t *testing.T) *http.Client {
	t.Helper()
	control := os.Getenv("TAPEDECK_CONTROL")
	if control == "" {
		return http.DefaultClient
	}
	proxy, err := url.Parse(control)
	if err != nil {
		t.Fatal(err)
	}
	proxy.User = url.UserPassword(url.PathEscape(t.Name()), "x")
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = http.ProxyURL(proxy)
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		endSession(t, control)
	})
	return &http.Client{Transport: transport}
}

// endSession fails the test with what tapedeck missed in it. The session ends,
// so that -count=2 plays from the beginning twice.
func endSession(t *testing.T, control string) {
	t.Helper()
	req, err := http.NewRequest("DELETE", control+"/sessions/"+url.PathEscape(t.Name()), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+os.Getenv("TAPEDECK_TOKEN"))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var report struct {
		Misses []struct{ Text string }
		Error  struct{ Message string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&report); err != nil {
		t.Fatal(err)
	}
	if report.Error.Message != "" {
		t.Error(report.Error.Message)
	}
	for _, miss := range report.Misses {
		t.Error(miss.Text)
	}
}
