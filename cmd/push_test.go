package cmd

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"taskapi/app/webhook"
	"taskapi/cmd/settings"
)

func TestAddressesOfTheInternet(t *testing.T) {
	for text, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true, "::ffff:8.8.8.8": false, "127.0.0.1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false, "100.64.0.1": false,
		"0.0.0.0": false, "255.255.255.255": false, "224.0.0.1": false, "198.18.0.1": false, "192.0.2.1": false, "::1": false, "::": false, "fe80::1": false, "fc00::1": false, "fd12::1": false, "ff02::1": false,
		"::ffff:127.0.0.1": false, "::127.0.0.1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false, "2001:db8::1": false, "fec0::1": false,
	} {
		if got := webhook.NewGuard(nil).Allows(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
}

// Whatever leads to this machine, a push does not go there; nor further than it was told.
func TestWhereAPushGoes(t *testing.T) {
	asked := false
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	client := webhook.NewGuard(nil).Client(pushPatience, nil)
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0"} {
		answer, err := client.Post("https://"+host+":"+port+"/", "text/plain", strings.NewReader("x"))
		if err == nil {
			_ = answer.Body.Close()
		}
		if err == nil || asked {
			t.Errorf("%s was asked: %v", host, err)
		}
	}
	if err := client.CheckRedirect(nil, nil); err != http.ErrUseLastResponse { //nolint:errorlint // what net/http compares with
		t.Error(err)
	}
}

func TestWhomAPushServiceMayAsk(t *testing.T) {
	for _, c := range []struct {
		url, from, want string
	}{
		{"https://tasks.example.com", "a@example.com", "https://tasks.example.com"}, {"http://tasks.example.com", "Tasks <a@example.com>", "a@example.com"},
		{"http://tasks.example.com:8000", "", "postmaster@tasks.example.com"}, {"http://127.0.0.1:8000", "", "postmaster@127.0.0.1"},
	} {
		if got := pushSubject(settings.Settings{PublicURL: c.url, Mail: settings.Mail{From: c.from}}); got != c.want {
			t.Errorf("%s, %s: %s", c.url, c.from, got)
		}
	}
}
