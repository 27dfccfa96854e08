package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
)

// resolvedError marks that a --resolve entry chose the address.
type resolvedError struct{ error }

func (e *resolvedError) Unwrap() error { return e.error }

// UpstreamFailure puts a transport error into words: which side failed, how, and
// what to do. The status is 502, or 504 when time ran out. host is the name of
// the API, with a port or without. The text is built from the error's kind
// alone: error texts of net/http quote what the upstream sent.
func UpstreamFailure(err error, host string) (status int, reason string) {
	status = http.StatusBadGateway
	side, cure := "upstream "+host, ""
	var (
		resolved *resolvedError
		refusal  *proxyRefusal
		op       *net.OpError
	)
	switch {
	case errors.As(err, &refusal):
		text := fmt.Sprintf("upstream proxy: answered %d instead of connecting to %s", refusal.status, host)
		if refusal.status == http.StatusProxyAuthRequired {
			return status, text + "; put its user and password into --upstream-proxy"
		}
		return status, text + "; ask who runs it to allow the host, or leave it out with NO_PROXY"
	case errors.As(err, &op) && op.Op == "proxyconnect":
		side, cure = "upstream proxy on the way to "+host, "check --upstream-proxy"
	case errors.As(err, &resolved):
		side, cure = "upstream "+host+" (by --resolve)", "check the address in --resolve"
	}
	fault, usual, timeout := kindOf(err)
	if timeout {
		status = http.StatusGatewayTimeout
	}
	if cure == "" || usual == trustCure {
		cure = usual
	}
	return status, side + ": " + fault + "; " + cure
}

const (
	reachCure = "check the network, or point the host elsewhere with --resolve"
	trustCure = "if this certificate is to be trusted, name its authority with --upstream-ca FILE"
)

// kindOf names the kind of an error, what usually mends it, and whether time ran out.
func kindOf(err error) (fault, cure string, timeout bool) {
	var (
		dns       *net.DNSError
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		verify    *tls.CertificateVerificationError
		record    tls.RecordHeaderError
		op        *net.OpError
		number    syscall.Errno
		timer     net.Error
	)
	switch {
	case errors.As(err, &dns) && !dns.IsTimeout:
		return "its name has no address (DNS)", "check the name and the network, or give its address with --resolve", false
	case errors.As(err, &authority):
		return "its certificate was signed by an unknown authority", trustCure, false
	case errors.As(err, &name):
		return "its certificate is for another host", "check the host's name and --resolve", false
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "its certificate has expired or is not valid yet", "check the clock, or have the certificate renewed", false
	case errors.As(err, &invalid), errors.As(err, &verify):
		return "its certificate is not acceptable", trustCure, false
	case errors.As(err, &record):
		return "it does not speak TLS on this port", "check scheme and port", false
	case errors.As(err, &op) && op.Op == "remote error":
		return "it ended the TLS handshake with an alert", "check whether it wants a client certificate or another TLS version", false
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused", "check that it is running, or point the host elsewhere with --resolve", false
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timer) && timer.Timeout():
		return "it did not answer in time", reachCure, true
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "it reset the connection", "try again; if it stays so, the upstream or something on the way refuses the request", false
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), strings.Contains(err.Error(), "server closed idle connection"):
		return "it closed the connection before its answer was complete", "try again; if it stays so, look at the upstream's log", false
	case errors.Is(err, context.Canceled):
		return "the client hung up before the answer", "give the client a longer timeout if that was not meant", false
	case strings.Contains(err.Error(), "malformed HTTP"), strings.Contains(err.Error(), "HTTP/1.x transport connection broken"):
		return "its answer is not valid HTTP", "check scheme and port", false
	case errors.As(err, &number):
		return "it cannot be reached (" + number.Error() + ")", reachCure, false
	}
	return "the request failed before an answer came", reachCure, false
}
