package cmd

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"taskapi/cmd/settings"
)

// inForce returns what `taskapi config` says of each setting: value, source.
func inForce(t *testing.T, w world, args ...string) map[string][2]string {
	t.Helper()
	got := w.taskapi(t, append([]string{"config", "--json"}, args...)...).expect(t, exitOK)
	var items []struct{ Setting, Value, Source string }
	if err := json.Unmarshal([]byte(got.out), &items); err != nil {
		t.Fatal(err)
	}
	all := map[string][2]string{}
	for _, item := range items {
		all[item.Setting] = [2]string{item.Value, item.Source}
	}
	return all
}

func writeFile(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestPrecedence(t *testing.T) {
	folder(t)
	check := func(w world, value, source string, args ...string) {
		t.Helper()
		if got := inForce(t, w, args...)["mail-port"]; got != [2]string{value, source} {
			t.Errorf("%v, want %q from %s", got, value, source)
		}
	}
	check(world{}, "(not set)", "default")
	writeFile(t, ".env", "MAIL_PORT=1001\n")
	check(world{}, "1001", "MAIL_PORT in .env")
	writeFile(t, ".env", "MAIL_PORT=1001\nTASKAPI_MAIL_PORT=1002\n")
	check(world{}, "1002", "TASKAPI_MAIL_PORT in .env")
	check(world{environ: []string{"MAIL_PORT="}}, "1002", "TASKAPI_MAIL_PORT in .env")
	tutorial := []string{"MAIL_PORT=1003"}
	check(world{environ: tutorial}, "1003", "MAIL_PORT")
	check(world{environ: append(tutorial, "TASKAPI_MAIL_PORT=1004")}, "1004", "TASKAPI_MAIL_PORT")
	check(world{environ: append(tutorial, "TASKAPI_MAIL_PORT=1004")}, "1005", "--mail-port", "--mail-port=1005")
}

func TestDefaultsThatFollow(t *testing.T) {
	folder(t)
	for _, c := range []struct {
		args, setting, want string
	}{
		{"", "public-url", "http://127.0.0.1:8000"},
		{"--addr=:9000", "public-url", "http://localhost:9000"},
		{"--addr=0.0.0.0:9000", "public-url", "http://localhost:9000"},
		{"--addr=[::1]:9000", "public-url", "http://[::1]:9000"},
		{"--public-url=https://tasks.example.com/", "public-url", "https://tasks.example.com"},
		{"--tls-cert=c --tls-key=k --addr=:8443", "public-url", "https://localhost:8443"},
		{"--acme-domain=a.example.com,b.example.com --addr=:443", "public-url", "https://a.example.com"},
		{"--acme-domain=a.example.com --addr=:8443", "public-url", "https://a.example.com:8443"},
		{"--mail-server=m --mail-from=a@b.c", "mail-port", "587"},
		{"--mail-server=m --mail-from=a@b.c --mail-tls=tls", "mail-port", "465"},
		{"--mail-server=m --mail-from=a@b.c --mail-tls=none", "mail-port", "25"},
		{"--mail-server=m --mail-username=a@b.c", "mail-from", "a@b.c"},
	} {
		if got := inForce(t, world{}, strings.Fields(c.args)...)[c.setting][0]; got != c.want {
			t.Errorf("%s: %s is %q, want %q", c.args, c.setting, got, c.want)
		}
	}
}

// Every mistake is told at once, each by the name the person used.
func TestAllMistakesAtOnce(t *testing.T) {
	folder(t)
	writeFile(t, ".env", "TASKAPI_ACCESS_TTL=soon\nTASKAPI_COLOUR=red\nMAIL_USE_TLS=perhaps\n")
	w := world{environ: []string{"MAIL_PORT=70000", "JWT_SECRET_KEY=short-and-secret", "TASKAPI_DURABILTY=full", "TASKAPI_MAIL_PASSWORD_FILE=nowhere"}}
	got := w.taskapi(t, "config", "--addr=8000", "--registration=shut", "--password-min=0").expect(t, exitUsage,
		`--addr: "8000": expected HOST:PORT`,
		`--registration: "shut": expected open or closed`,
		`--password-min: "0": expected a number from 1 to 1024`,
		`TASKAPI_ACCESS_TTL in .env: "soon": expected a time such as 90s`,
		`TASKAPI_COLOUR in .env: there is no such setting`,
		`TASKAPI_DURABILTY: there is no such setting`,
		`MAIL_USE_TLS in .env: "perhaps": expected True or False`,
		`MAIL_PORT: "70000": expected a number from 1 to 65535`,
		`JWT_SECRET_KEY: expected at least 32 bytes; make a good one with "openssl rand -base64 48"`,
		`TASKAPI_MAIL_PASSWORD_FILE: "nowhere": expected a file that can be read`,
	)
	if strings.Contains(got.err, "short-and-secret") {
		t.Error("a secret is shown")
	}
}

func TestOneMistake(t *testing.T) {
	for _, c := range []struct {
		args string
		want string
	}{
		{"--addr=127.0.0.1:65536", "HOST:PORT"}, {"--addr=127.0.0.1:http", "HOST:PORT"}, {"--data-dir=", "name of a folder"},
		{"--public-url=tasks.example.com", "https://"}, {"--public-url=ftp://a", "https://"}, {"--public-url=http://a?b", "https://"},
		{"--access-ttl=25h", "from 1s to 24h\n"}, {"--access-ttl=1500ms", "whole seconds"}, {"--access-ttl=-1s", "from 1s"},
		{"--refresh-ttl=1m", "at least the access-ttl, 15m"}, {"--refresh-idle=-1s", "from 0s"}, {"--refresh-rotation=true", "on or off"},
		{"--password-min=9 --password-max=8", "at most the password-max, 8"}, {"--password-max=many", "a number"},
		{"--password-chars=z-a", "inside []"}, {"--password-chars=a]*", "inside []"}, {`--password-chars=\`, "inside []"},
		{"--cors-origins=example.com", "such as https://app.example.com"}, {"--cors-origins=https://a.example.com/path", "such as"}, {"--cors-origins=https://a.example.com,*", "such as"},
		{"--trusted-proxies=10.0.0.0/33", "10.0.0.0/8"}, {"--trusted-proxies=proxy", "10.0.0.0/8"},
		{"--rate-limit=1", "on or off"}, {"--compat=flask", "tutorial or strict"}, {"--durability=none", "full or normal"},
		{"--tls-cert=c", "the file of the certificate's key"}, {"--tls-key=k", "the file of the certificate"}, {"--tls-cert=c --tls-key=k --acme-domain=a.example.com", "not both"},
		{"--acme-domain=localhost", "such as tasks.example.com"}, {"--acme-domain=a_b.example.com", "such as"}, {"--acme-domain=192.0.2.1", "such as"},
		{"--acme-directory=http://a", "ACME directory, https://"}, {"--redirect-addr=:80", "without tls-cert or acme-domain"},
		{"--metrics-addr=:9090", "0.0.0.0:9090 for every network"}, {"--metrics-addr=127.0.0.1:http", "HOST:PORT"},
		{"--log-format=xml", "text or json"}, {"--log-level=loud", "debug, info, warn or error"},
		{"--mail-tls=ssl", "starttls or tls or none"}, {"--mail-server=m", "such as tasks@example.com"},
		{"--mail-server=m --mail-from=nonsense", "such as tasks@example.com"},
		{"--mail-server=mail.example.com --mail-username=a@b.c --mail-tls=none", "unencrypted link to another machine"},
	} {
		folder(t)
		got := world{}.taskapi(t, append([]string{"config"}, strings.Fields(c.args)...)...).expect(t, exitUsage, c.want, "these settings can't be used:\n  --")
		if strings.Count(got.err, "\n  ") != 1 {
			t.Errorf("%s: more than one mistake:\n%s", c.args, got.err)
		}
	}
	world{}.taskapi(t, "serve", "--addr=8000").expect(t, exitUsage, "HOST:PORT")
	if _, err := os.Stat("taskapi-data"); err == nil {
		t.Error("something was made before the settings were checked")
	}
}

func TestGoodValues(t *testing.T) {
	folder(t)
	for _, args := range []string{
		"--addr=:0", "--addr=[::]:8000", "--addr=localhost:8000", "--refresh-idle=24h", "--password-chars=A-Za-z0-9@#$%^&+=", `--password-chars=\]\\`, "--password-chars=[:alpha:]", "--password-chars=a",
		"--cors-origins=https://a.example.com,http://localhost:5173", "--trusted-proxies=10.0.0.1,10.0.0.0/8,::1,fd00::/8,::ffff:10.0.0.1",
		"--mail-server=localhost --mail-username=a@b.c --mail-tls=none", "--mail-server=127.0.0.1 --mail-username=a@b.c --mail-tls=none",
		"--mail-server=m --mail-from=Tasks<tasks@example.com>",
	} {
		world{}.taskapi(t, append([]string{"config"}, strings.Fields(args)...)...).expect(t, exitOK)
	}
}

func TestSecretsAreHiddenAndMayComeFromFiles(t *testing.T) {
	folder(t)
	const key, password = "0123456789abcdef0123456789abcdef-key", "the mail password"
	writeFile(t, "key", key+"\n")
	w := world{environ: []string{"JWT_SECRET_KEY_FILE=key", "MAIL_PASSWORD=" + password, "MAIL_SERVER=localhost", "MAIL_USERNAME=a@b.c"}}
	for _, args := range [][]string{{"config"}, {"config", "--json"}} {
		got := w.taskapi(t, args...).expect(t, exitOK, "(hidden, 36 bytes)", "JWT_SECRET_KEY_FILE", "(hidden, 17 bytes)")
		if strings.Contains(got.out, key) || strings.Contains(got.out, password) {
			t.Errorf("a secret is shown:\n%s", got.out)
		}
	}
	w.environ = append(w.environ, "JWT_SECRET_KEY="+key)
	w.taskapi(t, "config").expect(t, exitUsage, "JWT_SECRET_KEY: expected either this or JWT_SECRET_KEY_FILE, not both")
}

// tutorialEnv is the .env of the tutorial's section 6.5, as printed there.
const tutorialEnv = `SECRET_KEY=mysecretkey

DB_HOST=localhost
DB_PORT=3306
DB_USER=user
DB_PASSWORD=password
DB_NAME=flask_api_db

JWT_SECRET_KEY=myjwtsecretkey

MAIL_SERVER=smtp.gmail.com
MAIL_PORT=587
MAIL_USERNAME=your_email@gmail.com
MAIL_PASSWORD=your_email_password
MAIL_USE_TLS=True
MAIL_USE_SSL=False
`

func TestTutorialEnvFile(t *testing.T) {
	folder(t)
	writeFile(t, ".env", tutorialEnv)
	got := world{}.taskapi(t, "config").expect(t, exitUsage, "JWT_SECRET_KEY in .env: expected at least 32 bytes", "openssl rand -base64 48")
	if strings.Count(got.err, "\n  ") != 1 {
		t.Errorf("more than the key is wrong:\n%s", got.err)
	}
	writeFile(t, ".env", strings.Replace(tutorialEnv, "JWT_SECRET_KEY=myjwtsecretkey\n", "", 1))
	world{}.taskapi(t, "config").expect(t, exitOK, "note: DB_* settings name a MariaDB server", "the data lives in ./taskapi-data")
	all := inForce(t, world{})
	for setting, want := range map[string][2]string{
		"mail-server": {"smtp.gmail.com", "MAIL_SERVER in .env"}, "mail-port": {"587", "MAIL_PORT in .env"},
		"mail-from": {"your_email@gmail.com", "default"}, "mail-tls": {"starttls", "MAIL_USE_TLS in .env"},
	} {
		if all[setting] != want {
			t.Errorf("%s is %v, want %v", setting, all[setting], want)
		}
	}
}

func TestTutorialTruthValues(t *testing.T) {
	for _, c := range []struct {
		env, want string
	}{
		{"MAIL_USE_SSL=False", "starttls"}, {"MAIL_USE_SSL=True", "tls"}, {"MAIL_USE_TLS=False", "none"}, {"MAIL_USE_TLS=True", "starttls"},
		{"MAIL_USE_TLS=False MAIL_USE_SSL=False", "none"}, {"MAIL_USE_TLS=false MAIL_USE_SSL=1", "tls"},
		{"MAIL_USE_TLS=False TASKAPI_MAIL_TLS=tls", "tls"},
	} {
		folder(t)
		if got := inForce(t, world{environ: strings.Fields(c.env)})["mail-tls"][0]; got != c.want {
			t.Errorf("%s: %s, want %s", c.env, got, c.want)
		}
	}
	world{environ: []string{"MAIL_USE_TLS=True", "MAIL_USE_SSL=True"}}.taskapi(t, "config").expect(t, exitUsage, "at most one of them")
}

func TestOddEnvFiles(t *testing.T) {
	folder(t)
	writeFile(t, ".env", "TASKAPI_ADDR=:9000\nthis is = not\n\nnonsense\nTASKAPI_RATE_LIMIT=perhaps\n")
	world{}.taskapi(t, "config").expect(t, exitUsage, ".env, line 2: expected NAME=value", ".env, line 4: expected NAME=value", "TASKAPI_RATE_LIMIT in .env")
	writeFile(t, ".env", "\ufeffTASKAPI_REGISTRATION=closed\r\n# a comment\r\nexport TASKAPI_ADDR=:9000 # another\r\nTASKAPI_DATA_DIR='a $b'\r\nMAIL_USERNAME=a${HOME}$b\nMAIL_SERVER=\"pa$$word\"\n")
	all := inForce(t, world{}, "--mail-from=a@b.c")
	for setting, want := range map[string]string{"registration": "closed", "addr": ":9000", "data-dir": "a $b", "mail-username": "a${HOME}$b", "mail-server": "pa$$word"} {
		if all[setting][0] != want {
			t.Errorf("%s is %q, want %q", setting, all[setting][0], want)
		}
	}
	if err := os.Remove(".env"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(".env", 0o700); err != nil {
		t.Fatal(err)
	}
	world{}.taskapi(t, "config").expect(t, exitUsage, ".env: can't be read")
}

// The example names every setting, with its default, and nothing else; with
// all of its lines in force, nothing differs from no file at all.
func TestEnvExample(t *testing.T) {
	_, file, _, _ := runtime.Caller(0)
	text, err := os.ReadFile(filepath.Join(filepath.Dir(file), "..", ".env.example"))
	if err != nil {
		t.Fatal(err)
	}
	folder(t)
	before := inForce(t, world{})
	lines := regexp.MustCompile(`(?m)^#([A-Z_]+)=(.*)$`).FindAllStringSubmatch(string(text), -1)
	example := map[string]string{}
	for _, line := range lines {
		example[line[1]] = line[2]
	}
	for _, row := range settings.Table() {
		found := 0
		for _, name := range row.Env {
			if value, ok := example[name]; ok {
				found++
				delete(example, name)
				if value != row.Initial {
					t.Errorf("%s is %q in the example, but %q by default", name, value, row.Initial)
				}
			}
		}
		if found != 1 {
			t.Errorf("%s is %d times in the example", row.Flag, found)
		}
	}
	if len(example) > 0 {
		t.Errorf("no such settings: %v", example)
	}
	writeFile(t, ".env", regexp.MustCompile(`(?m)^#([A-Z_]+=)`).ReplaceAllString(string(text), "$1"))
	for setting, now := range inForce(t, world{}) {
		if now[0] != before[setting][0] {
			t.Errorf("%s is %q with the example and %q without", setting, now[0], before[setting][0])
		}
	}
}

// What --compat says reaches the server.
func TestCompatReachesTheServer(t *testing.T) {
	for value, want := range map[string]int{"strict": 400, "tutorial": 200} {
		folder(t)
		p := start(t, []string{"TASKAPI_COMPAT=" + value})
		if status, answer := p.call("GET", "/healthz?nope=1", "", ""); status != want {
			t.Errorf("%s: %d %v", value, status, answer)
		}
		p.kill()
	}
}
