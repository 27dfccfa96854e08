package child

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func node(t *testing.T) string {
	t.Helper()
	return tool(t, "node", "apt-get install nodejs")
}

// nodeGet is a way to make a GET request from Node: an async function of a URL, and whether it
// prints the body.
var nodeGets = []struct{ name, get string }{
	{"http and https", `
		const get = (u) => new Promise((done, fail) => require(new URL(u).protocol.slice(0, -1))
			.get(u, (r) => r.setEncoding('utf8').on('data', (d) => body += d).on('end', done)).on('error', fail));`},
	{"own keep-alive agent", `
		const agents = { 'http:': new (require('http').Agent)({ keepAlive: true }), 'https:': new (require('https').Agent)({ keepAlive: true }) };
		const get = (u) => new Promise((done, fail) => {
			const { protocol } = new URL(u);
			require(protocol.slice(0, -1)).request(u, { agent: agents[protocol] }, (r) => r.setEncoding('utf8').on('data', (d) => body += d).on('end', done))
				.on('error', fail).end();
		});`},
	{"no agent", `
		const get = (u) => new Promise((done, fail) => require(new URL(u).protocol.slice(0, -1))
			.get(u, { agent: false }, (r) => r.setEncoding('utf8').on('data', (d) => body += d).on('end', done)).on('error', fail));`},
	{"fetch", `const get = async (u) => { body += await (await fetch(u)).text(); };`},
}

func TestNode(t *testing.T) {
	interpreter := node(t)
	for _, g := range nodeGets {
		t.Run(g.name, func(t *testing.T) {
			p := startProxy(t)
			e := p.environment(t, nil)
			out := command(t, e, interpreter, "-e", "let body = '';"+g.get+
				"(async () => { for (const u of ['"+secureURL+"', '"+plainURL+"']) await get(u); console.log(body.match(/from the proxy/g).length); process.exit(); })()")
			p.wantRequests(t, "GET "+secureURL+" HTTP/1.1", "GET "+plainURL+" HTTP/1.1")
			if out != "2\n" {
				t.Errorf("output: %q", out)
			}
		})
	}
}

func TestNodeHTTP2(t *testing.T) {
	interpreter := node(t)
	p := startProxy(t)
	out := command(t, p.environment(t, nil), interpreter, "-e", `
		const session = require('http2').connect('https://api.tapedeck.test');
		const request = session.request({ ':path': '/v1/a?b=1' });
		request.setEncoding('utf8').on('data', (d) => process.stdout.write(d)).on('end', () => session.close());
		request.end();`)
	// Node names the port in HTTP/2's :authority whether or not there is a proxy.
	p.wantRequests(t, "GET https://api.tapedeck.test:443/v1/a?b=1 HTTP/2.0")
	if !strings.Contains(out, "from the proxy") {
		t.Errorf("output: %s", out)
	}
}

func TestNodeESModules(t *testing.T) {
	interpreter := node(t)
	p := startProxy(t)
	file := filepath.Join(t.TempDir(), "main.mjs")
	program := `
		import https, { request } from 'node:https';
		import { connect } from 'node:http2';
		const u = '` + secureURL + `';
		await new Promise((done, fail) => https.get(u, (r) => r.resume().on('end', done)).on('error', fail));
		await new Promise((done, fail) => request(u, (r) => r.resume().on('end', done)).on('error', fail).end());
		await (await fetch(u)).text();
		const session = connect(u);
		await new Promise((done, fail) => session.request({ ':path': '/v1/a?b=1' }).on('end', done).on('error', fail).resume().end());
		process.exit();`
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, p.environment(t, nil), interpreter, file)
	one := "GET " + secureURL
	p.wantRequests(t, one+" HTTP/1.1", one+" HTTP/1.1", one+" HTTP/1.1", "GET https://api.tapedeck.test:443/v1/a?b=1 HTTP/2.0")
}

// Worker threads are routed as long as their environment keeps the variables.
func TestNodeWorkers(t *testing.T) {
	interpreter := node(t)
	for _, env := range []string{"process.env", "{ ...process.env, A: '1' }", "SHARE_ENV"} {
		t.Run(env, func(t *testing.T) {
			p := startProxy(t)
			command(t, p.environment(t, nil), interpreter, "-e", `
				const { Worker, SHARE_ENV } = require('worker_threads');
				new Worker("fetch('`+secureURL+`').then((r) => r.text()).then(() => require('https').get('`+secureURL+`', (r) => r.resume()))",
					{ eval: true, env: `+env+` }).on('error', (e) => { console.error(e); process.exit(1); });`)
			p.wantRequests(t, "GET "+secureURL+" HTTP/1.1", "GET "+secureURL+" HTTP/1.1")
		})
	}
}

// maxSockets must hold although a socket exists only once its tunnel is open, and a refused tunnel
// must not starve the requests that wait for its place.
func TestNodeMaxSockets(t *testing.T) {
	interpreter := node(t)
	program := `
		const https = require('https');
		const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
		const sockets = new Set();
		let left = 5, failed = 0;
		const done = () => { if (--left === 0) { console.log(sockets.size, failed, agent.totalSocketCount <= 1); process.exit(); } };
		for (let i = 0; i < 5; i++) {
			https.get('https://api.tapedeck.test/' + i, { agent }, (r) => r.resume().on('end', done))
				.on('socket', (s) => sockets.add(s)).on('error', () => { failed++; done(); });
		}`
	p := startProxy(t)
	if out := command(t, p.environment(t, nil), interpreter, "-e", program); out != "1 0 true\n" {
		t.Errorf("sockets, failures, count: %q, want one socket and no failure", out)
	}
	p.requests()
	p.refusal = "not today"
	if out := command(t, p.environment(t, nil), interpreter, "-e", program); !strings.HasSuffix(out, " 5 true\n") {
		t.Errorf("sockets, failures, count: %q, want five failures", out)
	}
	p.wantRequests(t)
}

// A program sees why the proxy refused.
func TestNodeRefusedTunnel(t *testing.T) {
	interpreter := node(t)
	p := startProxy(t)
	p.refusal = "give a session"
	out := command(t, p.environment(t, nil), interpreter, "-e", `
		require('https').get('`+secureURL+`').on('error', (e) => console.log(e.message));
		fetch('`+secureURL+`').catch((e) => console.log(e.cause.message));`)
	// Node's own dispatcher (NODE_USE_ENV_PROXY, from 22.21 and 24.0) fails without the reason.
	reasons := strings.Count(out, "CONNECT api.tapedeck.test:443: HTTP/1.1 403 Forbidden give a session")
	if reasons+strings.Count(out, "Request was cancelled.") != 2 || reasons == 0 {
		t.Errorf("output: %s", out)
	}
}

// What NO_PROXY names, the proxy itself and sockets without a network are left alone; so is a
// program whose environment names no proxy.
func TestNodeDirect(t *testing.T) {
	interpreter := node(t)
	p := startProxy(t)
	program := `
		const http = require('http');
		const server = http.createServer((q, r) => r.end('direct'));
		const body = (options) => new Promise((done, fail) => http.get(options, (r) => {
			let all = ''; r.setEncoding('utf8').on('data', (d) => all += d).on('end', () => done(all));
		}).on('error', fail));
		const path = require('path').join(require('os').tmpdir(), 'tapedeck-test-' + process.pid);
		server.listen(0, '127.0.0.1', async () => {
			const url = 'http://127.0.0.1:' + server.address().port + '/';
			console.log(await body(url), await body(url.replace('127.0.0.1', 'localhost')), await (await fetch(url)).text());
			const unix = http.createServer((q, r) => r.end('unix')).listen(path, async () => {
				console.log(await body({ socketPath: path, path: '/' }));
				process.exit();
			});
		});`
	const want = "direct direct direct\nunix\n"
	if out := command(t, p.environment(t, nil), interpreter, "-e", program); out != want {
		t.Errorf("got %q, want %q", out, want)
	}
	p.wantRequests(t)

	// With recording of loopback, the same requests come to the proxy.
	loopback := p.environment(t, func(s *Settings) { s.RecordLoopback = true })
	out := command(t, loopback, interpreter, "-e", program)
	if strings.Contains(out, "direct") || !strings.Contains(out, "unix\n") || len(p.requests()) != 3 {
		t.Errorf("with loopback recorded: %q", out)
	}

	// A program that knows proxies connects to this one by itself, also when loopback is recorded.
	command(t, loopback, interpreter, "-e", `
		const { hostname, port } = new URL(process.env.HTTP_PROXY);
		require('http').get({ hostname, port, path: '`+plainURL+`' }, (r) => r.resume());`)
	p.wantRequests(t, "GET "+plainURL+" HTTP/1.1 absolute")

	preload, err := filepath.Abs(filepath.Join("node", "preload.cjs"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(interpreter, "--require", preload, "-e", `
		console.log(require('https').Agent.prototype.createConnection.toString().includes('tunnel('),
			Object.getOwnPropertySymbols(globalThis).some((s) => String(s).includes('undici')));`)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	plain, err := cmd.CombinedOutput()
	if err != nil || string(plain) != "false false\n" {
		t.Errorf("without variables: %v %q", err, plain)
	}
}

// TLS options that the program gives hold inside the tunnel.
func TestNodeTLSOptions(t *testing.T) {
	interpreter := node(t)
	p := startProxy(t)
	own := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(own, p.authority.CertPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	out := command(t, p.environment(t, nil, "OWN_CA="+own).only(""), interpreter, "-e", `
		const https = require('https'), fs = require('fs');
		const get = (name, options) => new Promise((done) => https.get('`+secureURL+`', { agent: false, ...options }, (r) => {
			console.log(name, r.socket.alpnProtocol, r.socket.servername);
			r.resume().on('end', done);
		}).on('error', (e) => { console.log(name, e.code); done(); }));
		(async () => {
			await get('untrusted', {});
			await get('ca', { ca: fs.readFileSync(process.env.OWN_CA) });
			await get('lax', { rejectUnauthorized: false });
			await get('servername', { ca: fs.readFileSync(process.env.OWN_CA), servername: 'other.tapedeck.test' });
			await get('alpn', { ca: fs.readFileSync(process.env.OWN_CA), ALPNProtocols: ['http/1.1'] });
			process.exit();
		})();`)
	const host = "api.tapedeck.test"
	want := "untrusted UNABLE_TO_VERIFY_LEAF_SIGNATURE\nca false " + host + "\nlax false " + host +
		"\nservername false other.tapedeck.test\nalpn http/1.1 " + host + "\n"
	if out != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}

// Options of the user's stay, a path with blanks and quotes is one option.
func TestNodeOptions(t *testing.T) {
	interpreter := node(t)
	p := startProxy(t)
	odd := filepath.Join(t.TempDir(), `a "b" c\d`)
	if err := os.Mkdir(odd, 0o700); err != nil {
		t.Fatal(err)
	}
	e := p.environment(t, func(s *Settings) { s.Dir = odd }, "NODE_OPTIONS=--max-http-header-size=12345")
	out := command(t, e, interpreter, "-e", `
		console.log(require('http').maxHeaderSize);
		require('https').get('`+secureURL+`', (r) => r.resume());`)
	p.wantRequests(t, "GET "+secureURL+" HTTP/1.1")
	if out != "12345\n" {
		t.Errorf("output: %q", out)
	}
}

// SDKs and clients from npm, when they are installed in the folder that TAPEDECK_NODE_MODULES names.
func TestNodePackages(t *testing.T) {
	interpreter := node(t)
	modules := os.Getenv("TAPEDECK_NODE_MODULES")
	if modules == "" {
		t.Skip("TAPEDECK_NODE_MODULES names no folder; npm install stripe axios got@11 node-fetch@2 agentkeepalive undici@6 undici7@npm:undici@7 undici8@npm:undici@8 makes one")
	}
	const done = ".then(() => process.exit(), (e) => { console.error(e.cause ?? e); process.exit(1); })"
	major := command(t, &Environment{inherited: os.Environ()}, interpreter, "-p", "process.versions.node.split('.')[0]")
	cases := []struct{ name, module, program, want, since string }{
		{"stripe", "stripe", `const Stripe = require('stripe'); new (Stripe.Stripe ?? Stripe)('sk_test_1').customers.retrieve('cus_1')` + done,
			"GET https://api.stripe.com/v1/customers/cus_1 HTTP/1.1", ""},
		{"stripe with fetch", "stripe", `const S = require('stripe'), Stripe = S.Stripe ?? S; new Stripe('sk_test_1', { httpClient: Stripe.createFetchHttpClient() }).customers.retrieve('cus_1')` + done,
			"GET https://api.stripe.com/v1/customers/cus_1 HTTP/1.1", ""},
		{"axios", "axios", `require('axios').get('` + secureURL + `')` + done, "GET " + secureURL + " HTTP/1.1", ""},
		{"axios without proxy", "axios", `require('axios').get('` + secureURL + `', { proxy: false })` + done, "GET " + secureURL + " HTTP/1.1", ""},
		{"got", "got", `require('got').get('` + secureURL + `')` + done, "GET " + secureURL + " HTTP/1.1", ""},
		{"node-fetch", "node-fetch", `require('node-fetch')('` + secureURL + `')` + done, "GET " + secureURL + " HTTP/1.1", ""},
		{"agentkeepalive", "agentkeepalive", `const { HttpsAgent } = require('agentkeepalive');
			new Promise((ok, no) => require('https').get('` + secureURL + `', { agent: new HttpsAgent() }, (r) => r.resume().on('end', ok)).on('error', no))` + done,
			"GET " + secureURL + " HTTP/1.1", ""},
		{"undici fetch", "undici", `require('undici').fetch('` + secureURL + `').then((r) => r.text())` + done, "GET " + secureURL + " HTTP/1.1", ""},
		{"undici request", "undici", `require('undici').request('` + secureURL + `').then((r) => r.body.text())` + done, "GET " + secureURL + " HTTP/1.1", ""},
		{"undici 7", "undici7", `require('undici7').fetch('` + secureURL + `').then((r) => r.text())` + done, "GET " + secureURL + " HTTP/1.1", "20"},
		// On Node 22 undici 8 replaces the dispatcher that it shares with fetch by one of its own.
		{"undici 8", "undici8", `require('undici8').fetch('` + secureURL + `').then((r) => r.text())` + done, "GET " + secureURL + " HTTP/1.1", "24"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, err := os.Stat(filepath.Join(modules, c.module)); err != nil {
				t.Skipf("npm install %s brings it", c.module)
			}
			if c.since != "" && strings.TrimSpace(major) < c.since {
				t.Skipf("wants Node %s", c.since)
			}
			p := startProxy(t)
			e := p.environment(t, nil, "NODE_PATH="+modules)
			if out := command(t, e, interpreter, "-e", c.program); out != "" {
				t.Errorf("output: %s", out)
			}
			p.wantRequests(t, c.want)
		})
	}
}

// An idle connection that an agent keeps must not keep the process: this one has no other end.
func TestNodeExitsWithIdleConnections(t *testing.T) {
	interpreter := node(t)
	p := startProxy(t)
	command(t, p.environment(t, nil), interpreter, "-e", `
		for (const [name, u] of [['https', '`+secureURL+`'], ['http', '`+plainURL+`']]) {
			const module = require(name);
			module.get(u, { agent: new module.Agent({ keepAlive: true }) }, (r) => r.resume());
		}
		const session = require('http2').connect('https://api.tapedeck.test');
		session.request({ ':path': '/' }).on('end', () => session.unref()).resume().end();
		fetch('`+secureURL+`').then((r) => r.text());`)
	if n := len(p.requests()); n != 4 {
		t.Errorf("%d requests at the proxy, want 4", n)
	}
}

// Large bodies go through in both directions, and the program is held back when the other side is slow.
func TestNodeLargeBodies(t *testing.T) {
	interpreter := node(t)
	p := startProxy(t)
	out := command(t, p.environment(t, nil), interpreter, "-e", `
		const body = Buffer.alloc(8 << 20, 'x');
		const post = (u, options) => new Promise((done, fail) => {
			let size = 0;
			require(new URL(u).protocol.slice(0, -1)).request(u, { method: 'POST', ...options }, (r) =>
				r.on('data', (d) => size += d.length).on('end', () => { console.log(r.headers['received'], size); done(); })).on('error', fail).end(body);
		});
		(async () => {
			for (const u of ['`+secureURL+`&echo=1', '`+plainURL+`&echo=1']) {
				await post(u);
				const r = await fetch(u, { method: 'POST', body });
				console.log(r.headers.get('received'), (await r.arrayBuffer()).byteLength);
			}
		})();`)
	if want := strings.Repeat("8388608 8388608\n", 4); out != want {
		t.Errorf("received and sent: got %q, want %q", out, want)
	}
}

// A request that the program gives up ends, whether or not its tunnel is open.
func TestNodeAbort(t *testing.T) {
	interpreter := node(t)
	p := startProxy(t)
	out := command(t, p.environment(t, nil), interpreter, "-e", `
		const https = require('https');
		https.get('`+secureURL+`').on('error', (e) => console.log('destroyed', e.code)).destroy();
		fetch('`+secureURL+`', { signal: AbortSignal.abort() }).catch((e) => console.log('aborted', e.name));
		https.get('https://slow.tapedeck.test/?hang=1', { timeout: 50 }).on('timeout', function () { this.destroy(); })
			.on('error', (e) => console.log('timed out', e.code));`)
	for _, want := range []string{"destroyed ECONNRESET\n", "aborted AbortError\n", "timed out ECONNRESET\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("output lacks %q:\n%s", want, out)
		}
	}
}
