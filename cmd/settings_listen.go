package cmd

import (
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"

	"taskapi/cmd/certs"
)

// listenRows are the rows of the table on how the server is reached: HTTPS, and
// addresses beside the main one.
func listenRows() []setting {
	return []setting{
		{flag: "tls-cert", env: []string{"TASKAPI_TLS_CERT"},
			meaning: "file of the certificate with its chain, to speak HTTPS; read again when it changes", parse: text(func(s *Settings) *string { return &s.TLSCert })},
		{flag: "tls-key", env: []string{"TASKAPI_TLS_KEY"},
			meaning: "file of its key", parse: text(func(s *Settings) *string { return &s.TLSKey })},
		{flag: "acme-domain", env: []string{"TASKAPI_ACME_DOMAIN"},
			meaning: "domains to get certificates for, to speak HTTPS; port 443 of each must lead here", parse: parseDomains},
		{flag: "acme-directory", env: []string{"TASKAPI_ACME_DIRECTORY"}, initial: certs.LetsEncrypt,
			meaning: "the authority that is asked for them; by using it you agree to its terms", parse: parseDirectory},
		{flag: "redirect-addr", env: []string{"TASKAPI_REDIRECT_ADDR"},
			meaning: "address, such as :80, from where browsers are sent to the public-url (default none)", parse: parseRedirectAddr},
		{flag: "metrics-addr", env: []string{"TASKAPI_METRICS_ADDR"},
			meaning: "address for Prometheus, such as 127.0.0.1:9090; whoever reaches it reads the metrics (default none)", parse: parseMetricsAddr},
	}
}

// parseMetricsAddr wants the network named, even if it is every one: nobody
// shall publish what the server does by leaving something out.
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
	if strings.HasPrefix(value, unixPrefix) {
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

// side is an address beside the main one.
type side struct{ flag, addr string }

func (s *Settings) sides() []side {
	all := []side{{"redirect-addr", s.RedirectAddr}, {"metrics-addr", s.MetricsAddr}}
	return slices.DeleteFunc(all, func(one side) bool { return one.addr == "" })
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
	for _, side := range s.sides() {
		if other, ok := taken[side.addr]; ok && !strings.HasSuffix(side.addr, ":0") {
			mistake(side.flag, "expected another address than that of "+other)
		}
		taken[side.addr] = side.flag
	}
	if s.RedirectAddr != "" && !s.encrypted() {
		mistake("redirect-addr", "there is nothing to send browsers to without tls-cert or acme-domain")
	}
}

// certificateHost is whom clients ask for; empty while nobody has said.
func (s *Settings) certificateHost() string {
	u, err := url.Parse(s.PublicURL)
	if err != nil || s.publicURLByDefault() {
		return ""
	}
	return u.Hostname()
}

// localURL is where a browser on this machine finds the address.
func (s *Settings) localURL(addr string) string {
	if strings.HasPrefix(addr, unixPrefix) {
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

// publicURLByDefault reports whether nobody has set the public-url.
func (s *Settings) publicURLByDefault() bool { return s.PublicURL == s.defaultURL(s.Addr) }

// defaultURL is the public-url of who has set none.
func (s *Settings) defaultURL(addr string) string {
	_, port, err := net.SplitHostPort(addr)
	switch {
	case len(s.ACMEDomains) == 0:
		return s.localURL(addr)
	case err != nil || port == "443":
		return "https://" + s.ACMEDomains[0]
	}
	return "https://" + net.JoinHostPort(s.ACMEDomains[0], port)
}
