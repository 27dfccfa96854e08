package child

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Runtimes and tools that are tried where they are installed: each with one certificate variable and
// nothing else to trust by. They need not succeed, since what the test proxy answers is not what they
// ask for; that a whole request came in shows that they found the proxy and trust it.
func TestOtherRuntimes(t *testing.T) {
	const plain, absolute = " HTTP/1.1", " HTTP/1.1 absolute"
	cases := []struct {
		name, program, install string
		trust                  string
		args                   []string
		environ                []string
		want                   []string // beginnings of lines that must be among the requests
	}{
		{"go", "", "", "SSL_CERT_FILE", nil, []string{"GO_GET=" + secureURL + " " + plainURL},
			[]string{"GET " + secureURL + " HTTP/2.0", "GET " + plainURL + absolute}},
		{"ruby net/http", "ruby", "apt-get install ruby", "SSL_CERT_FILE",
			[]string{"-ropen-uri", "-rnet/http", "-e", "%w[" + secureURL + " " + plainURL + "].each { |u| Net::HTTP.get_response(URI(u)).value; URI.open(u).read }"}, nil,
			[]string{"GET " + secureURL + plain, "GET " + plainURL + absolute}},
		{"php streams", "php", "apt-get install php-cli", "PHP_INI_SCAN_DIR",
			[]string{"-r", "stream_context_set_default(['http' => ['proxy' => str_replace('http:', 'tcp:', getenv('http_proxy'))]]); file_get_contents('" + secureURL + "');"}, nil,
			[]string{"GET " + secureURL + plain}},
		{"php curl", "php", "apt-get install php-cli php-curl", "PHP_INI_SCAN_DIR",
			[]string{"-r", "foreach (['" + secureURL + "', '" + plainURL + "'] as $u) { curl_exec(curl_init($u)); }"}, nil,
			[]string{"GET " + secureURL + " HTTP/", "GET " + plainURL + absolute}},
		{"perl LWP", "perl", "apt-get install libwww-perl liblwp-protocol-https-perl", "PERL_LWP_SSL_CA_FILE",
			[]string{"-MLWP::UserAgent", "-MLWP::Protocol::https", "-e", "print LWP::UserAgent->new->get($_)->status_line for '" + secureURL + "', '" + plainURL + "'"}, nil,
			[]string{"GET " + secureURL + plain, "GET " + plainURL + absolute}},
		{"perl HTTP::Tiny", "perl", "apt-get install perl libio-socket-ssl-perl", "SSL_CERT_FILE",
			[]string{"-MHTTP::Tiny", "-MIO::Socket::SSL", "-e", "print HTTP::Tiny->new(verify_SSL => 1)->get($_)->{status} for '" + secureURL + "', '" + plainURL + "'"}, nil,
			[]string{"GET " + secureURL + plain, "GET " + plainURL + absolute}},
		{"python grpc", "python3", "apt-get install python3-grpcio", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
			[]string{"-c", "import grpc\nc = grpc.secure_channel('api.tapedeck.test:443', grpc.ssl_channel_credentials())\ntry: c.unary_unary('/s/m')(b'', timeout=20)\nexcept grpc.RpcError: pass"}, nil,
			[]string{"POST https://api.tapedeck.test:443/s/m HTTP/2.0"}},
		{"pip", "python3", "apt-get install python3-pip", "PIP_CERT",
			[]string{"-m", "pip", "download", "--index-url", "https://pypi.tapedeck.test/simple", "--no-deps", "--retries", "0", "tapedeck-absent"}, []string{"PIP_FIND_LINKS="},
			[]string{"GET https://pypi.tapedeck.test/simple/tapedeck-absent/ HTTP/1.1"}},
		{"npm", "npm", "apt-get install npm", "npm_config_cafile",
			[]string{"view", "tapedeck-absent", "--fetch-retries=0", "--registry=https://registry.tapedeck.test/"}, []string{"NODE_OPTIONS=", "NODE_USE_ENV_PROXY="},
			[]string{"GET https://registry.tapedeck.test/tapedeck-absent HTTP/1.1"}},
		{"deno", "deno", "npm install deno", "DENO_CERT",
			[]string{"eval", "for (const u of ['" + secureURL + "', '" + plainURL + "']) await (await fetch(u)).text()"}, nil,
			[]string{"GET " + secureURL + " HTTP/2.0", "GET " + plainURL + absolute}},
		{"bun fetch", "bun", "npm install bun", "NODE_EXTRA_CA_CERTS",
			[]string{"-e", "for (const u of ['" + secureURL + "', '" + plainURL + "']) await (await fetch(u)).text()"}, nil,
			[]string{"GET " + secureURL + plain, "GET " + plainURL + absolute}},
		{"cargo", "cargo", "https://rustup.rs", "CARGO_HTTP_CAINFO",
			[]string{"search", "tapedeck-absent", "--registry", "test"}, []string{"CARGO_REGISTRIES_TEST_INDEX=sparse+https://index.tapedeck.test/"},
			[]string{"GET https://index.tapedeck.test/config.json HTTP/"}},
		{"aws", "aws", "https://aws.amazon.com/cli/", "AWS_CA_BUNDLE",
			[]string{"sts", "get-caller-identity", "--region", "eu-central-1"},
			[]string{"AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY=x", "AWS_MAX_ATTEMPTS=1"},
			[]string{"POST https://sts.eu-central-1.amazonaws.com/ HTTP/1.1"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var program string
			if c.program == "" {
				program, _ = os.Executable()
			} else {
				program = tool(t, c.program, c.install)
			}
			p := startProxy(t)
			e := p.environment(t, nil, c.environ...)
			if c.trust == "PHP_INI_SCAN_DIR" {
				e = e.only("")
			} else {
				e = e.only(c.trust)
			}
			// What the case sets stands, also against what tapedeck would set.
			for _, pair := range c.environ {
				name, value, _ := strings.Cut(pair, "=")
				e.Variables = append(slices.DeleteFunc(e.Variables, func(v Variable) bool { return v.Name == name }), Variable{Name: name, Value: value})
			}
			cmd := exec.Command(program, c.args...)
			cmd.Env = e.Environ()
			cmd.Dir = t.TempDir()
			out, err := cmd.CombinedOutput()
			got := p.requests()
			for _, want := range c.want {
				if !slices.ContainsFunc(got, func(line string) bool { return strings.HasPrefix(line, want) }) {
					if lacks(string(out)) {
						t.Skipf("a part of it is missing; %s brings it", c.install)
					}
					t.Errorf("requests %q, want %q among them (%v)\n%s", got, want, err, out)
				}
			}
		})
	}
}

// lacks reports whether a runtime says that a module or extension is not installed, rather than that
// a request failed.
func lacks(output string) bool {
	return slices.ContainsFunc([]string{
		"undefined function curl_init", "Can't locate ", "No module named", "rustup could not choose",
	}, func(text string) bool { return strings.Contains(output, text) })
}

// goGet is what the test binary does with GO_GET: a Go program with the default transport.
func goGet(urls string) error {
	for _, u := range strings.Fields(urls) {
		r, err := http.Get(u)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, r.Body)
		r.Body.Close()
		if err != nil {
			return err
		}
	}
	return nil
}
