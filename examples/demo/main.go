// Command demo shows what tapedeck does, on this machine and with no network:
// it records checkouts with Stripe (stripe-mock), FastSpring and Digital River,
// stops every server, and replays all of it. It ends with 1 at the first step
// that differs from what it says.
//
//	make demo
//	go run ./examples/demo -keep /tmp/demo      keeps the cassettes
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"tapedeck/examples/canary"
	"tapedeck/examples/upstreams"
)

func main() {
	tapedeck := flag.String("tapedeck", "bin/tapedeck", "the `program` to show")
	stripeGo := flag.String("stripe-go", ".cache/bin/stripe-go", "the built example of Stripe's SDK for Go")
	keep := flag.String("keep", "", "keep the cassettes in this new `folder`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	begin := time.Now()
	if err := run(ctx, *tapedeck, *stripeGo, *keep); err != nil {
		fmt.Printf("\nThe demo FAILED: %v\n", err)
		os.Exit(1)
	}
	fmt.Printf("\nEvery step was as it should be. It took %d seconds.\n", int(time.Since(begin).Seconds()))
}

// A demo is one run.
type demo struct {
	ctx      context.Context
	tapedeck string
	dir      string // all that tapedeck writes to
	secrets  []canary.Secret
	scenes   []*scene
}

// A scene is one program that talks to an API.
type scene struct {
	title    string
	cassette string
	argv     []string
	// credentials are what its user has: the variables' names, and how the
	// values begin.
	credentials []variable
	steps       int

	recorded string // what it printed while being recorded
}

type variable struct{ name, prefix string }

func run(ctx context.Context, tapedeck, stripeGo, keep string) (err error) {
	dir := keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "tapedeck-demo-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	} else if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	d := &demo{ctx: ctx}
	for _, path := range []struct {
		to   *string
		from string
	}{{&d.tapedeck, tapedeck}, {&d.dir, dir}, {&stripeGo, stripeGo}} {
		if *path.to, err = filepath.Abs(path.from); err != nil {
			return err
		}
	}
	for _, folder := range []string{"home", "tmp"} {
		if err := os.Mkdir(filepath.Join(d.dir, folder), 0o755); err != nil {
			return err
		}
	}
	flow, err := filepath.Abs("examples")
	if err != nil {
		return err
	}
	stripe := []variable{{"STRIPE_API_KEY", "sk_test_51"}}
	d.scenes = []*scene{
		{title: "Stripe, by curl", cassette: "stripe-curl", argv: []string{"bash", flow + "/stripe/curl.sh"}, credentials: stripe, steps: 8},
		{title: "Stripe, by its SDK for Go", cassette: "stripe-go", argv: []string{stripeGo}, credentials: stripe, steps: 8},
		{title: "FastSpring, by curl", cassette: "fastspring", argv: []string{"bash", flow + "/fastspring/flow.sh"},
			credentials: []variable{{"FASTSPRING_USERNAME", ""}, {"FASTSPRING_PASSWORD", ""}}, steps: 8},
		{title: "Digital River, by curl", cassette: "digitalriver", argv: []string{"bash", flow + "/digitalriver/flow.sh"},
			credentials: []variable{{"DIGITALRIVER_TOKEN", ""}}, steps: 13},
	}

	work, err := os.MkdirTemp("", "tapedeck-demo-servers-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	chapter("Starting stripe-mock, FastSpring and Digital River behind nginx")
	programs, err := upstreams.Build(ctx, ".", work)
	if err != nil {
		return err
	}
	apis, err := upstreams.Start(ctx, programs, work)
	if err != nil {
		return err
	}
	defer apis.Stop()
	say("%s, %s and %s answer on %s.", upstreams.Stripe, upstreams.FastSpring, upstreams.DigitalRiver, apis.Address)
	clientSecrets, err := apis.ClientSecrets(ctx)
	if err != nil {
		return err
	}
	for _, secret := range clientSecrets {
		d.secrets = append(d.secrets, canary.Secret{Name: "a client secret", Value: secret})
	}

	for _, step := range []func(*upstreams.APIs) error{d.record, d.show, stopAll, d.replay, d.search, d.miss} {
		if err := step(apis); err != nil {
			return err
		}
	}
	if keep != "" {
		say("\nThe cassettes are in %s.", d.dir)
	}
	return nil
}

// record runs every scene for the first time.
func (d *demo) record(apis *upstreams.APIs) error {
	chapter("Recording: the programs believe that they talk to the real APIs")
	for _, s := range d.scenes {
		say("\n%s", s.title)
		r, err := d.exec(s, s.variables(d), append([]string{"--mode", "record-once"}, apis.Flags()...)...)
		if err != nil {
			return err
		}
		if err := r.ended(0); err != nil {
			return err
		}
		steps := r.steps()
		if len(steps) != s.steps {
			return fmt.Errorf("%s made %d calls, not %d:\n%s", s.title, len(steps), s.steps, r.stdout)
		}
		say("  %s", strings.Join(steps, " · "))
		r.quote()
		s.recorded = r.stdout
	}
	return nil
}

// show prints an interaction as a reviewer sees it.
func (d *demo) show(*upstreams.APIs) error {
	const path = "/v1/customer_sessions"
	chapter("What the file says of " + path)
	text, err := os.ReadFile(filepath.Join(d.dir, d.scenes[0].file()))
	if err != nil {
		return err
	}
	excerpt, err := interaction(string(text), "POST https://"+upstreams.Stripe+path)
	if err != nil {
		return err
	}
	for _, expected := range []string{"components[payment_element][enabled]", "_secret_REDACTED", "Bearer sk_test_REDACTED"} {
		if !strings.Contains(excerpt, expected) {
			return fmt.Errorf("the interaction does not show %q:\n%s", expected, excerpt)
		}
	}
	fmt.Println(excerpt)
	return nil
}

// stopAll stops every server and makes sure of it.
func stopAll(apis *upstreams.APIs) error {
	chapter("Stopping every server")
	if err := apis.Stop(); err != nil {
		return err
	}
	if conn, err := net.Dial("tcp", apis.Address); err == nil {
		conn.Close()
		return fmt.Errorf("something still listens on %s", apis.Address)
	}
	say("Nothing listens on %s any more.", apis.Address)
	return nil
}

// replay runs every scene again: other credentials, other order, other white space.
func (d *demo) replay(*upstreams.APIs) error {
	chapter("Replaying with other keys; curl also reverses its parameters and changes white space")
	for _, s := range d.scenes {
		say("\n%s", s.title)
		r, err := d.exec(s, append(s.variables(d), "ORDER=reversed"), "--mode", "replay-only", "--strict")
		if err != nil {
			return err
		}
		if err := r.ended(0); err != nil {
			return err
		}
		if r.stdout != s.recorded {
			return fmt.Errorf("%s got other answers than when it was recorded:\n%s", s.title, difference(s.recorded, r.stdout))
		}
		say("  all %d answers are the same, byte for byte", s.steps)
		r.quote()
	}
	return nil
}

// search looks for every credential that was used.
func (d *demo) search(*upstreams.APIs) error {
	chapter("Searching everything that was written for the secrets that were used")
	planted := []byte("Authorization: Bearer " + d.secrets[0].Value)
	if len(canary.Search(d.secrets, "a request", planted)) == 0 {
		return fmt.Errorf("the search does not find a secret that is there")
	}
	hits, files, err := canary.SearchFiles(d.secrets, d.dir)
	if err != nil {
		return err
	}
	if len(hits) > 0 {
		return fmt.Errorf("secrets were written: %v", hits)
	}
	if files < len(d.scenes) {
		return fmt.Errorf("there are %d files to search, fewer than cassettes", files)
	}
	say("%d secrets in %d files, as they are, URL-, JSON- and HTML-escaped, in hex and in base64: none.", len(d.secrets), files)
	return nil
}

// miss changes one request, which must fail and say why.
func (d *demo) miss(*upstreams.APIs) error {
	chapter("Asking for what was not recorded: 20.01 EUR instead of 20.00")
	s := d.scenes[0]
	r, err := d.exec(s, append(s.variables(d), "AMOUNT=2001"), "--mode", "replay-only")
	if err != nil {
		return err
	}
	const missed = 90
	if err := r.ended(missed); err != nil {
		return err
	}
	for _, expected := range []string{"body.amount", "2000", "2001"} {
		if !strings.Contains(r.stderr, expected) {
			return fmt.Errorf("the miss does not say %q:\n%s", expected, r.stderr)
		}
	}
	_, answer, _ := strings.Cut(r.stdout, "== payment 424")
	_, body, _ := strings.Cut(answer, "\n")
	var told struct{ Error struct{ Message string } }
	if err := json.Unmarshal([]byte(body), &told); err != nil {
		return fmt.Errorf("the answer to the program is not JSON: %w\n%s", err, body)
	}
	say("The program was answered with status 424 and this error:\n%s", indent(told.Error.Message))
	say("and tapedeck said at its end, with exit code %d:", missed)
	r.quote()
	return nil
}

// variables makes up new credentials for a scene's program.
func (s *scene) variables(d *demo) []string {
	var env []string
	for _, v := range s.credentials {
		value := v.prefix + rand.Text()
		d.secrets = append(d.secrets, canary.Secret{Name: v.name, Value: value})
		env = append(env, v.name+"="+value)
	}
	return env
}

// file is the scene's cassette, seen from the demo's folder.
func (s *scene) file() string { return filepath.Join("cassettes", s.cassette+".yaml") }
