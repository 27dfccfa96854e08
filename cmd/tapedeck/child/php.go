package child

import (
	"os"
	"strings"
)

func (p *preparation) phpVariables() error {
	bundle := strings.ReplaceAll(p.trusted.bundle, `"`, ``)
	ini := "; Certificates for PHP's streams and its curl, which do not read SSL_CERT_FILE.\n" +
		"openssl.cafile=\"" + bundle + "\"\n" +
		"curl.cainfo=\"" + bundle + "\"\n"
	path, err := p.write("php/tapedeck.ini", []byte(ini))
	if err != nil {
		return err
	}
	// An empty entry is the folder that PHP was built with.
	dir := strings.TrimSuffix(path, string(os.PathSeparator)+"tapedeck.ini")
	p.set("PHP_INI_SCAN_DIR", p.user("PHP_INI_SCAN_DIR")+string(os.PathListSeparator)+dir,
		"an ini folder with the certificates for PHP's streams and curl")
	return nil
}
