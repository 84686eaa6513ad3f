package cmd

import (
	"net"
	"net/http"
	"testing"
)

// openDoor is a listener that only has an address.
type openDoor struct {
	net.Listener
	addr net.Addr
}

func (o openDoor) Addr() net.Addr { return o.addr }

func TestWhoCanConnect(t *testing.T) {
	for _, c := range []struct {
		ip   string
		only bool
	}{
		{"127.0.0.1", true}, {"127.0.0.2", true}, {"::1", true}, {"0.0.0.0", false}, {"::", false}, {"192.0.2.1", false},
	} {
		if d := (&listeners{api: openDoor{addr: &net.TCPAddr{IP: net.ParseIP(c.ip), Port: 8000}}}); d.loopbackOnly() != c.only {
			t.Errorf("only this machine can connect to %s: %t", c.ip, !c.only)
		}
	}
}

// asked is the status of a request for a host.
func (p *process) asked(host string) int {
	p.t.Helper()
	request, err := http.NewRequest("GET", p.url+"/healthz", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	request.Host = host
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		p.t.Error(err)
	}
	return response.StatusCode
}

// A server of this machine answers a proxy beside it by the name of the
// public-url, in whatever letters that was written, and no stranger's.
func TestHostsOfAServerOnLoopback(t *testing.T) {
	for _, c := range []struct {
		args []string
		host string
		want int
	}{
		{nil, "localhost", 200}, {nil, "evil.example", 421}, {nil, "tasks.example.com", 421},
		{[]string{"--public-url=https://Tasks.Example.com:8443"}, "tasks.example.com", 200},
		{[]string{"--public-url=https://Tasks.Example.com:8443"}, "evil.example", 421},
		{[]string{"--public-url=https://bücher.example"}, "xn--bcher-kva.example", 200},
	} {
		folder(t)
		p := start(t, nil, c.args...)
		if got := p.asked(c.host); got != c.want {
			t.Errorf("%v: asked for %s it answers %d, want %d", c.args, c.host, got, c.want)
		}
		p.kill()
	}
}
