package child

import (
	"strings"
	"testing"
)

func TestHint(t *testing.T) {
	cases := []struct {
		argv []string
		want string // a word of the hint
	}{
		{[]string{"java", "-jar", "app.jar"}, "JAVA_TOOL_OPTIONS"},
		{[]string{"./gradlew", "test"}, "gradle --stop"},
		{[]string{"/usr/bin/node", "x.js"}, "NODE_OPTIONS"},
		{[]string{`C:\Program Files\nodejs\npm.cmd`, "test"}, "NODE_OPTIONS"},
		{[]string{"npx", "vitest"}, "NODE_OPTIONS"},
		{[]string{"bun", "test"}, "Bun"},
		{[]string{"deno", "test"}, "--allow-env"},
		{[]string{"python3.11", "-m", "pytest"}, "urllib3"},
		{[]string{"pytest"}, "urllib3"},
		{[]string{"./checkout_test.py"}, "urllib3"},
		{[]string{"bundle", "exec", "rspec"}, "Net::HTTP"},
		{[]string{"vendor/bin/phpunit"}, "stream_context_set_default"},
		{[]string{"go", "test", "./..."}, "-count=1"},
		{[]string{"dotnet", "test"}, ".NET"},
		{[]string{"cargo", "test"}, "rustls-native-certs"},
		{[]string{"prove", "t/"}, "LWP"},
		{[]string{"curl", "http://x"}, "--noproxy"},
		{[]string{"wget", "http://x"}, "--no-proxy"},
		{[]string{"docker", "compose", "up"}, "tapedeck env"},
		{[]string{"sudo", "npm", "test"}, "inside it"},
		{[]string{"env", "A=1", "python3", "x.py"}, "urllib3"},
		{[]string{"timeout", "5", "node", "x.js"}, "NODE_OPTIONS"},
		{[]string{"sh", "-c", "cd app && (npm test)"}, "NODE_OPTIONS"},
		{[]string{"bash", "run-tests.rb"}, "Net::HTTP"},
		{[]string{"./my-program"}, "HTTPS_PROXY"},
		{[]string{"sh", "-c", "./my-program"}, "--record-loopback"},
		{nil, "HTTPS_PROXY"},
	}
	for _, c := range cases {
		if got := Hint(c.argv); !strings.Contains(got, c.want) {
			t.Errorf("%q: %q lacks %q", c.argv, got, c.want)
		}
	}
}
