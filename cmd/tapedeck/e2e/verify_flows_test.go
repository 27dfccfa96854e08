//go:build e2e

package e2e

import (
	"fmt"
	"testing"

	"tapedeck/examples/flows"
)

// TestVerifyFlows asks again what secrets hang on: tokens that answers hand out and
// rotate, client secrets, users with Basic credentials. The secrets of now are others,
// and so are the servers.
func TestVerifyFlows(t *testing.T) {
	flags := map[string][]string{
		"client credentials, form, httpx":        nil,
		"refresh tokens, requests":               nil,
		"client secrets, Node":                   nil,
		"with and without a token, curl":         nil,
		"an account that is user and path, curl": {"--secret", "0001=TWILIO_ACCOUNT_SID:TWILIO_AUTH_TOKEN"},
		"a webhook's secret, httpx":              nil,
	}
	met := 0
	for _, flow := range secretFlows() {
		more, ok := flags[flow.name]
		if !ok {
			continue
		}
		met++
		t.Run(flow.name, func(t *testing.T) {
			t.Parallel()
			b := newFlowBench(t, flow.argv, flow.env...)
			b.record(t, "record-once", flows.NewCredentials())
			c := flows.NewCredentials()
			servers := b.start(t, c)
			arguments := append(append([]string{"verify", "--unsafe", "--delay", "0s", "--fail-on", "value"}, more...), servers.Flags()...)
			r := b.tapedeck(t, append(c.Environ(), fmt.Sprint("NOW=", b.clock.Unix())), append(arguments, b.cassette(b.name))...)
			b.stop(t, servers, r)
			r.mustEnd(t, 0)
			r.mustSay(t, fmt.Sprintf("sends %d of %[1]d request", flow.interactions), fmt.Sprintf("%d sent and answered\n", flow.interactions))
		})
	}
	if met != len(flags) {
		t.Errorf("%d of %d flows were found", met, len(flags))
	}
}
