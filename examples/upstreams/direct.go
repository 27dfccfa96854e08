package upstreams

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// Transport reaches the servers under their real names, past any proxy. The
// caller closes its idle connections.
func (a *APIs) Transport() (*http.Transport, error) {
	pem, err := os.ReadFile(a.CA)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, a.Address)
		},
	}, nil
}

// ClientSecrets asks stripe-mock for the client secrets that its answers hold,
// which are the same in every answer: a recording must not have them. Only what
// comes after "_secret_" is secret; what stands before it is an id.
func (a *APIs) ClientSecrets(ctx context.Context) ([]string, error) {
	transport, err := a.Transport()
	if err != nil {
		return nil, err
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	var secrets []string
	for _, call := range []struct {
		path string
		form url.Values
	}{
		{"customer_sessions", url.Values{"customer": {"cus_1"}, "components[buy_button][enabled]": {"true"}}},
		{"payment_intents", url.Values{"amount": {"1"}, "currency": {"eur"}}},
	} {
		secret, err := clientSecret(ctx, client, call.path, call.form)
		if err != nil {
			return nil, err
		}
		secrets = append(secrets, secret)
	}
	return secrets, nil
}

func clientSecret(ctx context.Context, client *http.Client, path string, form url.Values) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+Stripe+"/v1/"+path, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth("sk_test_any", "")
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var object struct {
		ClientSecret string `json:"client_secret"`
	}
	if err := json.NewDecoder(response.Body).Decode(&object); err != nil {
		return "", fmt.Errorf("stripe-mock: %s: %w", path, err)
	}
	_, secret, _ := strings.Cut(object.ClientSecret, "_secret_")
	if secret == "" {
		return "", fmt.Errorf("stripe-mock: %s: the answer has no client secret", path)
	}
	return secret, nil
}
