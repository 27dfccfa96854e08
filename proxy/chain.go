package proxy

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

// dialThrough connects through another proxy with CONNECT. goproxy has such a
// dialer too, but it ignores the context, skips the proxy's certificate and
// drops bytes that follow the answer at once.
func (u *Upstream) dialThrough(ctx context.Context, network string, proxy *url.URL, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := u.dialDirect(ctx, network, hostPort(proxy))
	if err != nil {
		return nil, proxyError(err)
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	tunnel, err := u.connectThrough(ctx, conn, proxy, address)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		conn.Close()
		return nil, proxyError(err)
	}
	return tunnel, nil
}

func (u *Upstream) connectThrough(ctx context.Context, conn net.Conn, proxy *url.URL, address string) (net.Conn, error) {
	if proxy.Scheme == "https" {
		config := u.tls.Clone()
		config.ServerName = proxy.Hostname()
		config.NextProtos = []string{"http/1.1"}
		secured := tls.Client(conn, config)
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		conn = secured
	}
	connect := &http.Request{
		Method: http.MethodConnect, URL: &url.URL{Opaque: address}, Host: address,
		Header: http.Header{"User-Agent": nil},
	}
	if proxy.User != nil {
		password, _ := proxy.User.Password()
		credentials := proxy.User.Username() + ":" + password
		connect.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(credentials)))
	}
	if err := connect.Write(conn); err != nil {
		return nil, err
	}
	buffered := bufio.NewReader(conn)
	resp, err := http.ReadResponse(buffered, connect)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, &proxyRefusal{status: resp.StatusCode}
	}
	return takeBuffered(conn, buffered), nil
}

// refusedByProxy gives http.Transport's own CONNECT the same error. Without it
// the error is the proxy's status text: traffic.
func refusedByProxy(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode != http.StatusOK {
		return &proxyRefusal{status: resp.StatusCode}
	}
	return nil
}

// proxyRefusal says that the upstream proxy did not let a request through.
type proxyRefusal struct{ status int }

func (e *proxyRefusal) Error() string {
	return fmt.Sprintf("the upstream proxy answered %d", e.status)
}

// proxyError marks an error as the proxy's, as http.Transport does.
func proxyError(err error) error {
	var refusal *proxyRefusal
	if errors.As(err, &refusal) {
		return err
	}
	return &net.OpError{Op: "proxyconnect", Net: "tcp", Err: err}
}
