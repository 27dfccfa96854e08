//go:build e2e

package e2e

import (
	"strings"
	"testing"

	"tapedeck/examples/canary"
	"tapedeck/examples/flows"
)

// TestFlowPublishedCards: the numbers and tokens that Stripe publishes stay as they
// are, so that a declined card never plays an approved answer, in any order.
func TestFlowPublishedCards(t *testing.T) {
	t.Parallel()
	cards := []string{"visa=4242424242424242", "declined=4000000000000002", "token=tok_visa", "declined-token=tok_chargeDeclined"}
	b := newFlowBench(t, node("cards.mjs", cards...))
	recorded := b.record(t, "record-once", flows.NewCredentials())
	recorded.mustSay(t, "charge-visa 200", "charge-declined 402 card_declined", "token-declined 402", "charge-token 200", "charge-declined-token 402")

	b.argv = node("cards.mjs", cards[3], cards[2], cards[1], cards[0])
	r := b.replay(t, flows.Dummies(), nil, "--strict")
	r.mustEnd(t, 0)
	mustAnswerAlike(t, r, recorded)

	// A published card that was not recorded is a miss, and says which number it is.
	b.argv = node("cards.mjs", "other=4000000000009995")
	r = b.replay(t, flows.Dummies(), nil)
	r.mustEnd(t, 90)
	r.mustSay(t, "charge-other 424", "4000000000009995")
}

// TestFlowSecretCards: numbers that could be anybody's are not stored. Different
// ones stay different.
func TestFlowSecretCards(t *testing.T) {
	t.Parallel()
	const declined, approved, third = "4539578763621486", "4716108999716531", "4916338506082832"
	b := newFlowBench(t, node("cards.mjs", "declined="+declined, "approved="+approved))
	b.secrets = append(b.secrets, canary.Secret{Name: "a card", Value: declined}, canary.Secret{Name: "another card", Value: approved})
	recorded := b.record(t, "record-once", flows.NewCredentials())
	recorded.mustSay(t, "charge-declined 402", "token-declined 402", "charge-approved 200", "token-approved 200")
	file := read(t, b.cassette(b.name))

	r := b.replay(t, flows.NewCredentials(), nil)
	r.mustEnd(t, 0)
	r.mustPrint(t, recorded)

	b.secrets = append(b.secrets, canary.Secret{Name: "a third card", Value: third})
	b.argv = node("cards.mjs", "declined="+declined, "approved="+approved, "third="+third)
	r = b.replay(t, flows.NewCredentials(), nil)
	r.mustEnd(t, 90)
	r.mustSay(t, "charge-approved 200", "charge-third 424", "token-third 424")

	// Which is which is a guess where nothing tells: said, or not played.
	b.argv = node("cards.mjs", "approved="+approved, "declined="+declined)
	r = b.replay(t, flows.NewCredentials(), nil)
	r.mustSay(t, "unproven")
	r = b.replay(t, flows.NewCredentials(), nil, "--strict")
	r.mustEnd(t, 90)
	for _, heading := range r.steps() {
		if !strings.HasSuffix(heading, " 424") {
			t.Errorf("a guess was played under --strict: %s", heading)
		}
	}

	// Other cards in their places leave the file as it is.
	b.argv = node("cards.mjs", "declined="+declined, "approved="+third)
	b.record(t, "record-only", flows.NewCredentials())
	if now := read(t, b.cassette(b.name)); now != file {
		t.Errorf("another card changed the cassette:\n%s", firstDifference(file, now))
	}
	b.mustHoldNoSecret(t)
}
