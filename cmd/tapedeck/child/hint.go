package child

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// hints says, per program, why its requests may not have reached the proxy and the line that mends
// it. The first pattern that matches the program's name decides.
var hints = []struct {
	program *regexp.Regexp
	hint    string
}{
	{regexp.MustCompile(`^(java|javac|jshell|kotlin|kotlinc|scala|sbt|mvnw?|mvnd|gradlew?|groovy|clj|clojure|lein)$`),
		"Java takes the proxy from JAVA_TOOL_OPTIONS, which a -Dhttps.proxyHost of its own, a proxy selector in the " +
			"code and a Gradle or Maven daemon that was already running all override. Stop the daemon (gradle --stop), " +
			"or point the client's base URL to tapedeck: tapedeck replay --map 127.0.0.1:12111=https://HOST"},
	{regexp.MustCompile(`^(node|nodejs|npm|npx|pnpm|pnpx|yarn|tsx|ts-node|jest|vitest|mocha|next|nest)$`),
		"Node takes the proxy from a preload in NODE_OPTIONS, which is lost when the program starts others with an " +
			"environment of its own, and which does not reach clients with a dispatcher of their own (new Agent from the " +
			"undici package) nor the ws package. Give those a proxy agent, as in: setGlobalDispatcher(new EnvHttpProxyAgent())"},
	{regexp.MustCompile(`^bun(x)?$`),
		"Bun's fetch and node:https read HTTPS_PROXY; sockets opened by hand and bun's own WebSocket may not. Point the " +
			"client's base URL to tapedeck: tapedeck replay --map 127.0.0.1:12111=https://HOST"},
	{regexp.MustCompile(`^deno$`),
		"Deno's fetch reads HTTPS_PROXY, if reading it is allowed: deno run --allow-env --allow-net"},
	{regexp.MustCompile(`^(python[0-9.]*|pypy[0-9.]*|py|pytest|py\.test|tox|nox|poetry|uv|uvx|pipenv|hatch|ipython|jupyter|gunicorn|uvicorn|flask|django-admin|manage\.py|behave|robot)$`),
		"Python's urllib, requests and httpx read the proxy variables, aiohttp does through a shim in PYTHONPATH. python -I " +
			"and -E, trust_env=False, and urllib3 or http.client used directly do not. For urllib3: " +
			"urllib3.ProxyManager(os.environ[\"HTTPS_PROXY\"])"},
	{regexp.MustCompile(`^(ruby[0-9.]*|jruby|bundle|bundler|rake|rspec|rails|cucumber|irb|puma)$`),
		"Ruby's Net::HTTP reads the proxy variables unless the code names a proxy (Net::HTTP.new(host, port, nil)), and " +
			"never for loopback. Drop that nil, or point the base URL to tapedeck: tapedeck replay --map 127.0.0.1:12111=https://HOST"},
	{regexp.MustCompile(`^(php[0-9.]*|phpunit|pest|composer|artisan|symfony|drush|wp)$`),
		"PHP's curl and Guzzle read the proxy variables, its streams (file_get_contents) do not. For those: " +
			"stream_context_set_default([\"http\" => [\"proxy\" => \"tcp://127.0.0.1:PORT\"]])"},
	{regexp.MustCompile(`^(go|gotestsum|ginkgo|dlv|richgo)$`),
		"Go reads the proxy variables in http.DefaultTransport only; a Transport made in the code needs " +
			"Proxy: http.ProxyFromEnvironment. Loopback never goes to a proxy, and test results are cached: add -count=1"},
	{regexp.MustCompile(`^(dotnet|pwsh|powershell|msbuild)$`),
		".NET's HttpClient reads the proxy variables unless its handler has UseProxy = false or a Proxy of its own. On " +
			"macOS and Windows it trusts only the system's store: point the base URL to tapedeck: tapedeck replay --map " +
			"127.0.0.1:12111=https://HOST"},
	{regexp.MustCompile(`^(cargo|rustc|cross|nextest)$`),
		"Rust's reqwest and ureq read the proxy variables, hyper alone does not. Clients built with webpki-roots cannot be " +
			"told to trust a certificate: build with rustls-native-certs, or point the base URL to tapedeck: tapedeck replay --map " +
			"127.0.0.1:12111=https://HOST"},
	{regexp.MustCompile(`^(perl[0-9.]*|prove|carton)$`),
		"Perl's HTTP::Tiny and LWP read the proxy variables; https needs IO::Socket::SSL and, for LWP, LWP::Protocol::https"},
	{regexp.MustCompile(`^curl$`),
		"curl goes around the proxy with --noproxy, and with a proxy of its own in ~/.curlrc (curl -q leaves that file out). " +
			"Loopback needs: tapedeck exec --record-loopback"},
	{regexp.MustCompile(`^wget2?$`),
		"wget goes around the proxy with --no-proxy or use_proxy = off in ~/.wgetrc. Remove it, or add: -e use_proxy=on"},
	{regexp.MustCompile(`^(docker|podman|nerdctl|docker-compose|kubectl|minikube|kind)$`),
		"a container does not inherit this environment, and 127.0.0.1 in it is not this machine. Run the proxy where the " +
			"container reaches it and pass the variables on: tapedeck env --format dotenv"},
	{regexp.MustCompile(`^(ssh|sudo|su|doas|runuser)$`),
		"this program drops the environment. Run tapedeck inside it, as in: sudo tapedeck exec -- COMMAND"},
}

// defaultHint is for programs that are not known.
const defaultHint = "the program may not read HTTPS_PROXY. Check its client's proxy setting, or point its base URL to " +
	"tapedeck: tapedeck replay --map 127.0.0.1:12111=https://HOST. Requests to loopback need: --record-loopback"

// Hint says in a few sentences why no request of a command may have come through the proxy, with the
// line that mends it.
func Hint(argv []string) string {
	for _, program := range programs(argv) {
		for _, h := range hints {
			if h.program.MatchString(program) {
				return h.hint
			}
		}
	}
	return defaultHint
}

// wrappers start the program that their arguments name.
var wrappers = []string{
	"env", "time", "nice", "nohup", "timeout", "stdbuf", "setsid", "xvfb-run", "ionice", "strace",
	"sh", "bash", "dash", "zsh", "ksh", "fish", "busybox", "command", "exec", "dotenv", "direnv", "script", "make",
}

// programs lists the names that may be the command's program, the likeliest first: argv[0], and
// behind a wrapper the words that follow.
func programs(argv []string) []string {
	if len(argv) == 0 {
		return nil
	}
	first := programName(argv[0])
	names := []string{first}
	if !slices.Contains(wrappers, first) {
		// A script says by its ending what runs it: ./test.py, and node behind "npx".
		return append(names, byEnding[strings.ToLower(filepath.Ext(argv[0]))])
	}
	for _, word := range argv[1:] {
		// A shell's -c holds a whole line.
		for _, part := range strings.FieldsFunc(word, func(r rune) bool { return strings.ContainsRune(" \t\n;|&()'\"", r) }) {
			names = append(names, programName(part), byEnding[strings.ToLower(filepath.Ext(part))])
		}
	}
	return names
}

// byEnding is what runs a script.
var byEnding = map[string]string{
	".py": "python", ".js": "node", ".mjs": "node", ".cjs": "node", ".ts": "node", ".rb": "ruby",
	".php": "php", ".jar": "java", ".java": "java", ".pl": "perl", ".t": "perl", ".dll": "dotnet",
}

// programName is the last element of a path, without an ending that Windows adds.
func programName(word string) string {
	name := strings.ToLower(word[strings.LastIndexAny(word, `/\`)+1:])
	for _, ending := range []string{".exe", ".cmd", ".bat", ".ps1"} {
		name = strings.TrimSuffix(name, ending)
	}
	return name
}
