package tokentest

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"strings"
	"time"

	"taskapi/app/token"
)

// algorithms are tokens that choose how they want to be checked.
func (f forger) algorithms() []Forgery {
	var out []Forgery
	claims := encode(f.claims)
	for _, alg := range []any{"none", "None", "NONE", "nOnE", "", "hs256", nil, absent, 256, []string{"HS256"}} {
		header := encode(f.header.with("alg", alg))
		unsigned := compact(header, claims, func(string) []byte { return nil })
		out = append(out,
			Forgery{Name: fmt.Sprintf("alg %v, no signature", alg), Raw: unsigned},
			Forgery{Name: fmt.Sprintf("alg %v, good signature", alg), Raw: Sign(f.secret, header, claims)})
	}
	for alg, h := range map[string]func() hash.Hash{
		"HS384": sha512.New384, "HS512": sha512.New,
		"RS256": sha256.New, "PS256": sha256.New, "ES256": sha256.New, // the secret taken for a public key
	} {
		raw := compact(encode(f.header.with("alg", alg)), claims, func(text string) []byte { return mac(h, f.secret, text) })
		out = append(out, Forgery{Name: "alg " + alg + ", HMAC with the secret", Raw: raw})
	}
	return out
}

// ownKey is a token that brings the key to check it with.
func (f forger) ownKey() []Forgery {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	jwk := map[string]string{"kty": "OKP", "crv": "Ed25519", "x": b64(key[ed25519.SeedSize:])}
	header := encode(f.header.with("alg", "EdDSA").with("jwk", jwk))
	raw := compact(header, encode(f.claims), func(text string) []byte { return ed25519.Sign(key, []byte(text)) })
	return []Forgery{{Name: "alg EdDSA with a key of its own", Raw: raw}}
}

// signatures are tokens whose signature is missing or not over them.
func (f forger) signatures() []Forgery {
	header, payload, signature := cut(f.sign(f.header, f.claims))
	_, _, other := cut(f.sign(f.header, f.claims.with("jti", "another")))
	text := header + "." + payload + "."
	wrong := Sign(bytes.Repeat([]byte("w"), len(f.secret)), encode(f.header), encode(f.claims))
	elsewhere := b64([]byte(encode(f.claims.with("user_id", f.user+1).with("sub", fmt.Sprint(f.user+1)))))
	return []Forgery{
		{Name: "no signature", Raw: text},
		{Name: "wrong key", Raw: wrong},
		{Name: "empty key", Raw: Sign(nil, encode(f.header), encode(f.claims))},
		{Name: "half a signature", Raw: text + signature[:22]},
		{Name: "the signature of another token", Raw: text + other},
		{Name: "the payload of another user", Raw: header + "." + elsewhere + "." + signature},
		{Name: "another last bit of the signature", Raw: text + looseEnd(signature)},
		{Name: "a longer signature", Raw: text + signature + "A"},
		{Name: "padding", Raw: text + signature + "="},
		{Name: "an asterisk after the signature", Raw: text + signature + "*"},
	}
}

// looseEnd returns the base64 text of 32 bytes with the last of the two bits
// changed that its last character has to spare.
func looseEnd(s string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, s[len(s)-1])
	return s[:len(s)-1] + string(alphabet[last^1])
}

// headers are well signed tokens with a header that is not ours.
func (f forger) headers() []Forgery {
	var out []Forgery
	for _, typ := range []any{"JWT", "rt", "rt+jwt", "AT+JWT", "at+JWT", "application/at+jwt", "at+jwt ", "", nil, absent, 1} {
		raw := f.sign(f.header.with("typ", typ), f.claims)
		out = append(out, Forgery{Name: fmt.Sprintf("typ %q", fmt.Sprint(typ)), Raw: raw})
	}
	for name, value := range map[string]any{
		"kid": "../../dev/null", "jku": "https://attacker.example/keys", "jwk": map[string]string{"kty": "oct", "k": ""},
		"x5u": "https://attacker.example/cert", "x5c": []string{"MIIB"}, "x5t": "x", "crit": []string{"exp"}, "b64": false,
		"cty": "JWT", "zip": "DEF", "KID": nil,
	} {
		raw := f.sign(f.header.with(name, value), f.claims)
		out = append(out, Forgery{Name: "header " + name, Raw: raw})
	}
	for _, header := range []string{"null", "[]", `"HS256"`, "", "{", `{"alg":"HS256","typ":"at+jwt"}x`} {
		raw := Sign(f.secret, header, encode(f.claims))
		out = append(out, Forgery{Name: fmt.Sprintf("header %q", header), Raw: raw})
	}
	return out
}

// times are well signed tokens whose times are missing, unusable or over.
func (f forger) times() []Forgery {
	bad := func(seconds int64) map[string]any {
		return map[string]any{
			"absent": absent, "null": nil, "zero": 0, "negative": -1, "a string": fmt.Sprint(seconds), "true": true,
			"a fraction": jsonText(fmt.Sprintf("%d.5", seconds)), "huge": jsonText("1e400"),
			"above 64 bits": jsonText("9223372036854775808"), "a list": []int64{seconds},
		}
	}
	out := f.altered("exp", bad(f.now+900))
	out = append(out, f.altered("iat", bad(f.now))...)
	out = append(out, f.altered("nbf", map[string]any{"an hour ahead": f.now + 3600, "a string": fmt.Sprint(f.now)})...)
	old := f.claims.with("iat", f.now-7200)
	return append(out,
		Forgery{Name: "exp this very second", Raw: f.sign(f.header, old.with("exp", f.now)), Expired: true},
		Forgery{Name: "exp an hour ago", Raw: f.sign(f.header, old.with("exp", f.now-3600)), Expired: true},
		Forgery{Name: "exp in 1970", Raw: f.sign(f.header, old.with("exp", 1)), Expired: true},
		Forgery{Name: "exp an hour ago, iss wrong", Raw: f.sign(f.header, old.with("exp", f.now-3600).with("iss", "x"))},
	)
}

// users are correctly signed tokens without a valid user.
func (f forger) users() []Forgery {
	id := fmt.Sprint(f.user)
	out := f.altered("user_id", map[string]any{
		"absent": absent, "null": nil, "a string": id, "another": f.user + 1, "a list": []int64{f.user},
		"a fraction": jsonText(id + ".5"), "a float": jsonText(id + ".0"), "huge": jsonText("9223372036854775808"),
	})
	for _, n := range []int64{0, -1, -f.user} {
		raw := f.sign(f.header, f.claims.with("user_id", n).with("sub", fmt.Sprint(n)))
		out = append(out, Forgery{Name: fmt.Sprintf("user_id and sub %d", n), Raw: raw})
	}
	return append(out, f.altered("sub", map[string]any{
		"absent": absent, "null": nil, "empty": "", "a number": f.user, "another": fmt.Sprint(f.user + 1),
		"a leading zero": "0" + id, "a plus": "+" + id, "a space": id + " ", "more": id + ",1",
	})...)
}

// parties are well signed tokens from someone, for someone or of something else.
func (f forger) parties() []Forgery {
	out := f.altered("iss", map[string]any{
		"absent": absent, "null": nil, "empty": "", "another": "https://attacker.example", "in capitals": "TASKAPI",
		"a list": []string{"taskapi"},
	})
	out = append(out, f.altered("aud", map[string]any{
		"absent": absent, "null": nil, "empty": "", "another": "taskapi-web", "an empty list": []string{},
		"a list of others": []string{"a", "b"}, "a list of numbers": []int{1}, "an object": map[string]string{"taskapi": "taskapi"},
		"a mixed list": []any{"taskapi", 1},
	})...)
	for _, claim := range []string{"sid", "jti"} {
		out = append(out, f.altered(claim, map[string]any{
			"absent": absent, "null": nil, "empty": "", "a number": 1, "a list": []string{"x"},
		})...)
	}
	return out
}

// payloads are well signed tokens that do not hold claims.
func (f forger) payloads() []Forgery {
	var out []Forgery
	good := encode(f.claims)
	for name, payload := range map[string]string{
		"empty": "", "null": "null", "a number": "1", "a list": "[]", "an empty object": "{}", "text": `"text"`,
		"cut": good[:len(good)-1], "repeated": good + good, "in a list": "[" + good + "]", "not UTF-8": "\xff",
		"nested deeply": strings.Repeat("[", 3000),
	} {
		out = append(out, Forgery{Name: "payload " + name, Raw: Sign(f.secret, encode(f.header), payload)})
	}
	return out
}

// shapes are texts that are not one token, or not an access token.
func (f forger) shapes() []Forgery {
	good := f.sign(f.header, f.claims)
	header, payload, signature := cut(good)
	std := base64.StdEncoding.EncodeToString
	out := []Forgery{
		{Name: "text", Raw: "secret"},
		{Name: "dots", Raw: ".."},
		{Name: "one segment", Raw: header},
		{Name: "two segments", Raw: header + "." + payload},
		{Name: "a fourth segment", Raw: good + ".x"},
		{Name: "a dot more", Raw: good + "."},
		{Name: "a dot before", Raw: "." + good},
		{Name: "segments doubled", Raw: good + "." + good},
		{Name: "payload doubled", Raw: header + "." + payload + "." + payload + "." + signature},
		{Name: "token doubled", Raw: good + good},
		{Name: "two tokens", Raw: good + "," + good},
		{Name: "a space inside", Raw: header + ". " + payload + "." + signature},
		{Name: "percent signs", Raw: strings.ReplaceAll(good, ".", "%2E")},
		{Name: "quoted", Raw: `"` + good + `"`},
		{Name: "Bearer twice", Raw: "Bearer " + good},
		{Name: "padded header", Raw: std([]byte(encode(f.header))) + "=." + payload + "." + signature},
		{Name: "JSON in clear", Raw: encode(f.header) + "." + encode(f.claims) + "." + signature},
	}
	if r, err := token.NewRefresh(f.secret, bytes.NewReader(make([]byte, 64))); err == nil {
		if _, raw, err := r.New(); err == nil {
			out = append(out, Forgery{Name: "a refresh token", Raw: raw})
		}
	}
	sid := fmt.Sprint(f.claims["sid"])
	return append(out, Forgery{Name: "a token of two weeks ago",
		Raw: Genuine(f.secret, time.Unix(f.now, 0).Add(-14*24*time.Hour), f.user, sid), Expired: true})
}
