package main

import (
	"crypto/tls"
	"net/http"
	"sync/atomic"
)

// Counts the answers that a client library may hide by asking again.
type answers struct {
	next               http.RoundTripper
	preconditionFailed atomic.Int64
}

func (a *answers) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := a.next.RoundTrip(request)
	if err == nil && response.StatusCode == http.StatusPreconditionFailed {
		a.preconditionFailed.Add(1)
	}
	return response, err
}

func insecureTransport() http.RoundTripper {
	return &http.Transport{TLSClientConfig: insecure()}
}

// The first certificate of the service is signed by itself.
func insecure() *tls.Config {
	return &tls.Config{InsecureSkipVerify: true}
}
