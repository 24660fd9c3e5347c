package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// loopbackTransport opens connections to this machine only. TLS roots come from the environment (SSL_CERT_FILE).
// HTTP/1.1 only, because a WebSocket upgrade needs it.
func loopbackTransport() *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Transport{
		Protocols: &protocols,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			host, _, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			if !isLoopback(host) {
				return nil, fmt.Errorf("not a loopback address: %s", host)
			}
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// redirect sends requests for other machines to one origin on this one.
type redirect struct {
	origin *url.URL
	// path replaces the path of the request unless it is empty.
	path string
	next http.RoundTripper
}

func (r redirect) RoundTrip(req *http.Request) (*http.Response, error) {
	if isLoopback(req.URL.Hostname()) {
		return r.next.RoundTrip(req)
	}
	if r.origin == nil {
		return nil, fmt.Errorf("request to %s without a media origin", req.URL.Hostname())
	}
	req = req.Clone(req.Context())
	req.URL.Scheme = r.origin.Scheme
	req.URL.Host = r.origin.Host
	if r.path != "" {
		req.URL.Path = r.path
	}
	return r.next.RoundTrip(req)
}

// webSocketClient sends whatsmeow's fixed service address to the given URL. The client asks for https, so ws becomes
// http and wss https.
func webSocketClient(target string) (*http.Client, error) {
	origin, err := loopbackOrigin(strings.Replace(target, "ws", "http", 1))
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: redirect{origin: origin, path: origin.Path, next: loopbackTransport()}}, nil
}

// mediaClient sends uploads and downloads for other hosts to the given origin; without one they fail.
func mediaClient(media string) (*http.Client, error) {
	if media == "" {
		return &http.Client{Transport: redirect{next: loopbackTransport()}}, nil
	}
	origin, err := loopbackOrigin(media)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: redirect{origin: origin, next: loopbackTransport()}}, nil
}

func loopbackOrigin(text string) (*url.URL, error) {
	parsed, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	if !isLoopback(parsed.Hostname()) {
		return nil, fmt.Errorf("not a loopback address: %s", text)
	}
	return parsed, nil
}
