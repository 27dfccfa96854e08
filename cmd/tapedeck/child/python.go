package child

import (
	_ "embed"
	"os"
	"path/filepath"
)

//go:embed python/sitecustomize.py
var pythonShim []byte

func (p *preparation) pythonVariables() error {
	path, err := p.write("python/sitecustomize.py", pythonShim)
	if err != nil {
		return err
	}
	// An empty entry of PYTHONPATH is the current folder, so nothing is appended to an empty one.
	value := filepath.Dir(path)
	if user := p.user("PYTHONPATH"); user != "" {
		value += string(os.PathListSeparator) + user
	}
	p.set("PYTHONPATH", value, "a shim through which Python's aiohttp reads the proxy variables")
	return nil
}
