package settings

import (
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"

	"taskapi/cmd/certs"
	"taskapi/cmd/listen"
)

// listenRows are the rows of the table on how the server is reached: HTTPS, and
// addresses beside the main one.
func listenRows() []Setting {
	return []Setting{
		{Flag: "tls-cert", Env: []string{"TASKAPI_TLS_CERT"},
			Meaning: "file of the certificate with its chain, to speak HTTPS; read again when it changes", parse: text(func(s *Settings) *string { return &s.TLSCert })},
		{Flag: "tls-key", Env: []string{"TASKAPI_TLS_KEY"},
			Meaning: "file of its key", parse: text(func(s *Settings) *string { return &s.TLSKey })},
		{Flag: "acme-domain", Env: []string{"TASKAPI_ACME_DOMAIN"},
			Meaning: "domains to get certificates for, to speak HTTPS; port 443 of each must lead here", parse: parseDomains},
		{Flag: "acme-directory", Env: []string{"TASKAPI_ACME_DIRECTORY"}, Initial: certs.LetsEncrypt,
			Meaning: "the authority that is asked for them; by using it you agree to its terms", parse: parseDirectory},
		{Flag: "redirect-addr", Env: []string{"TASKAPI_REDIRECT_ADDR"},
			Meaning: "address, such as :80, from where browsers are sent to the public-url (default none)", parse: parseRedirectAddr},
		{Flag: "metrics-addr", Env: []string{"TASKAPI_METRICS_ADDR"},
			Meaning: "address for Prometheus, such as 127.0.0.1:9090; whoever reaches it reads the metrics (default none)", parse: parseMetricsAddr},
	}
}

// parseMetricsAddr requires an explicit host, even for all networks, so that no one
// publishes the metrics by omission.
func parseMetricsAddr(s *Settings, value string) error {
	if value == "" {
		return nil
	}
	if host, _, err := net.SplitHostPort(value); err != nil || host == "" {
		return errors.New("expected HOST:PORT such as 127.0.0.1:9090 for this machine, or 0.0.0.0:9090 for every network")
	}
	return parseOtherAddr(value, &s.MetricsAddr)
}

func parseRedirectAddr(s *Settings, value string) error {
	if value == "" {
		return nil
	}
	return parseOtherAddr(value, &s.RedirectAddr)
}

func parseOtherAddr(value string, field *string) error {
	if strings.HasPrefix(value, listen.UnixPrefix) {
		return errors.New("expected HOST:PORT")
	}
	var other Settings
	err := parseAddr(&other, value)
	*field = other.Addr
	return err
}

func parseDomains(s *Settings, value string) error {
	for _, domain := range list(value) {
		if strings.Trim(domain, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" || !strings.Contains(strings.Trim(domain, "."), ".") || net.ParseIP(domain) != nil {
			return errors.New("expected domains such as tasks.example.com, separated by commas")
		}
		s.ACMEDomains = append(s.ACMEDomains, domain)
	}
	return nil
}

func parseDirectory(s *Settings, value string) error {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return errors.New("expected the address of an ACME directory, https://…")
	}
	s.ACMEDirectory = value
	return nil
}

// Side is an address beside the main one.
type Side struct{ Flag, Addr string }

// Sides returns the addresses beside the main one that are set.
func (s *Settings) Sides() []Side {
	all := []Side{{"redirect-addr", s.RedirectAddr}, {"metrics-addr", s.MetricsAddr}}
	return slices.DeleteFunc(all, func(one Side) bool { return one.Addr == "" })
}

// encrypted reports whether the server speaks HTTPS itself.
func (s *Settings) encrypted() bool { return s.TLSCert != "" || len(s.ACMEDomains) > 0 }

func (s *Settings) completeTLS(mistake func(flag, problem string)) {
	switch {
	case s.TLSCert != "" && s.TLSKey == "":
		mistake("tls-key", "expected the file of the certificate's key")
	case s.TLSCert == "" && s.TLSKey != "":
		mistake("tls-cert", "expected the file of the certificate")
	case s.TLSCert != "" && len(s.ACMEDomains) > 0:
		mistake("acme-domain", "expected either this or tls-cert, not both")
	}
}

func (s *Settings) completeSides(mistake func(flag, problem string)) {
	taken := map[string]string{s.Addr: "addr"}
	for _, side := range s.Sides() {
		if other, ok := taken[side.Addr]; ok && !strings.HasSuffix(side.Addr, ":0") {
			mistake(side.Flag, "expected another address than that of "+other)
		}
		taken[side.Addr] = side.Flag
	}
	if s.RedirectAddr != "" && !s.encrypted() {
		mistake("redirect-addr", "there is nothing to send browsers to without tls-cert or acme-domain")
	}
}

// CertificateHost returns the host that clients ask for, "" while it is unknown.
func (s *Settings) CertificateHost() string {
	u, err := url.Parse(s.PublicURL)
	if err != nil || s.PublicURLByDefault() {
		return ""
	}
	return u.Hostname()
}

// LocalURL returns the URL at which a browser on this machine finds the address.
func (s *Settings) LocalURL(addr string) string {
	if strings.HasPrefix(addr, listen.UnixPrefix) {
		addr = net.JoinHostPort("localhost", "")
	}
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err != nil || host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	place := strings.TrimSuffix(net.JoinHostPort(host, port), ":")
	if s.encrypted() {
		return "https://" + place
	}
	return "http://" + place
}

// PublicURLByDefault reports whether the public URL is the default one.
func (s *Settings) PublicURLByDefault() bool { return s.PublicURL == s.DefaultURL(s.Addr) }

// DefaultURL returns the public URL in force when none is set.
func (s *Settings) DefaultURL(addr string) string {
	_, port, err := net.SplitHostPort(addr)
	switch {
	case len(s.ACMEDomains) == 0:
		return s.LocalURL(addr)
	case err != nil || port == "443":
		return "https://" + s.ACMEDomains[0]
	}
	return "https://" + net.JoinHostPort(s.ACMEDomains[0], port)
}
