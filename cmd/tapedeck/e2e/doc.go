// Package e2e runs the built tapedeck with real clients against real servers:
// curl, Python's requests and httpx, Node's fetch, and Stripe's SDKs for Node
// and Go, through HTTPS_PROXY to stripe-mock and two small servers behind
// nginx. Every test records, stops all servers, and replays.
//
//	make e2e
//
// The tests stand beside the command because they know nothing of what is in
// it. The clients and servers that they start are programs of the examples
// folder, as a user would write them: what the examples show is what is tested.
//
// Nothing is skipped: a client that is missing fails the run. make e2e installs
// what is needed first.
package e2e
