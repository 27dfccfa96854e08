package child

import (
	_ "embed"
	"strings"
)

//go:embed node/preload.cjs
var nodePreload []byte

func (p *preparation) nodeVariables() error {
	path, err := p.write("node/preload.cjs", nodePreload)
	if err != nil {
		return err
	}
	p.set("NODE_USE_ENV_PROXY", "1", "Node from 22.21 and 24.5 reads the proxy variables with this")
	p.set("NODE_OPTIONS", joinOptions(p.user("NODE_OPTIONS"), "--require "+quoteNodeOption(path)),
		"a preload for older Node, which knows no proxies, and for agents that SDKs build themselves")
	return nil
}

// quoteNodeOption writes a path so that Node takes it for one option: blanks separate options
// outside double quotes, and a backslash escapes inside them only
// (https://nodejs.org/api/cli.html#node_optionsoptions).
func quoteNodeOption(path string) string {
	if !strings.ContainsAny(path, " \"") {
		return path
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(path) + `"`
}

// joinOptions appends to a list of options separated by blanks.
func joinOptions(user, ours string) string {
	return strings.TrimSpace(user + " " + ours)
}
