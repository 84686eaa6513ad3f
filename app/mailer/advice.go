package mailer

import (
	"crypto/x509"
	"errors"
	"net"
)

// Advice is a sentence on what to do about a dialogue that failed with a
// *SendError.
func Advice(err error) string {
	var failure *SendError
	if !errors.As(err, &failure) {
		return "Correct the address or the mail settings, and try again."
	}
	if advice := connectionAdvice(err); advice != "" {
		return advice
	}
	switch failure.Step {
	case StepAddress:
		return "Write both addresses like ann@example.com."
	case StepConnect:
		return "Nothing answers there; check --mail-server and --mail-port."
	case StepTLS, StepGreeting, StepHello:
		if failure.Code != 0 {
			return "The server turns us away; ask those who run it whether this machine may send."
		}
		return "The server speaks another protocol on this port; check --mail-tls (tls is mostly port 465, starttls port 587)."
	case StepStartTLS:
		return "Try --mail-tls tls with port 465, or none for a server on this machine."
	case StepAuth:
		return authAdvice(failure)
	case StepSender:
		return "The server refused the sender; check --mail-from and --mail-username."
	case StepRecipient:
		return "The server refused the recipient; check the address."
	}
	return "The server refused the message; its answer says why."
}

func authAdvice(failure *SendError) string {
	if failure.Code != 0 {
		return "The server refused the login; check --mail-username and --mail-password (many providers want an app password)."
	}
	return "No login is possible here; check --mail-tls, or leave --mail-username empty if the server asks for none."
}

// connectionAdvice is for the causes that are the same at every step, "" for
// others.
func connectionAdvice(err error) string {
	var (
		unknown   x509.UnknownAuthorityError
		wrongHost x509.HostnameError
		invalid   x509.CertificateInvalidError
		dns       *net.DNSError
		timeout   net.Error
	)
	switch {
	case errors.As(err, &wrongHost):
		return "The certificate is for another name; set --mail-server to the name that the provider gives."
	case errors.As(err, &unknown):
		return "This machine does not trust who signed the certificate; install that authority, or name it in SSL_CERT_FILE."
	case errors.As(err, &invalid):
		return "The certificate is not valid, perhaps expired; check this machine's clock, then ask those who run the server."
	case errors.As(err, &dns) && dns.IsNotFound:
		return "There is no server of that name; check --mail-server."
	case errors.As(err, &timeout) && timeout.Timeout():
		return "The server did not answer in time; check --mail-port, --mail-tls, and whether a firewall is between."
	}
	return ""
}
