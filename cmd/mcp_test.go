package cmd

import (
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// An assistant starts the program, which finds the server by its folder or its address, and
// ends with the assistant or by a signal.
func TestAnAssistantOnStandardInput(t *testing.T) {
	data := folder(t)
	p := start(t, nil)
	token := p.apiToken("ann", `"tasks:read","tasks:write"`)
	if err := os.WriteFile("token", []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"mcp", data, "--token-file=token"}, {"mcp", p.url, "--token-file=token"}} {
		cmd := exec.Command(program, args...)
		cmd.Env = []string{beTaskapi + "=" + schema(t)}
		session, err := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil).Connect(context.Background(), &sdk.CommandTransport{Command: cmd}, nil)
		if err != nil {
			t.Fatal(err)
		}
		result, err := session.CallTool(context.Background(), &sdk.CallToolParams{Name: "add_tasks", Arguments: map[string]any{"tasks": []any{map[string]any{"title": "Milk"}}}})
		if err != nil || result.IsError {
			t.Errorf("%v: %v %+v", args, err, result)
		}
		if err := session.Close(); err != nil {
			t.Errorf("%v: %v", args, err)
		}
	}
	// What a script pipes into it is done and answered before it ends.
	piped := exec.Command(program, "mcp", p.url+"/mcp")
	piped.Env = []string{beTaskapi + "=" + schema(t), "TASKAPI_TOKEN=" + token}
	piped.Stdin = strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}
{"jsonrpc": nope
{"jsonrpc":"2.0","method":"notifications/initialized"}
{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"find_tasks","arguments":{}}}`)
	if text, err := piped.Output(); err != nil || strings.Count(string(text), "\n") != 3 || !strings.Contains(string(text), "-32700") || !strings.Contains(string(text), "Milk") {
		t.Errorf("%v: %s", err, text)
	}
	// A signal ends it while the assistant is still there.
	cmd := exec.Command(program, "mcp", p.url)
	cmd.Env = []string{beTaskapi + "=" + schema(t), "TASKAPI_TOKEN=" + token}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(in, `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`+"\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after a signal: %v", err)
	}
	if code := p.stop(syscall.SIGTERM); code != exitOK {
		t.Errorf("exit code %d\n%s", code, p.log.String())
	}
	if strings.Contains(p.log.String(), token) {
		t.Error("the token is in the log")
	}
}

// apiToken makes an account and a token for it.
func (p *process) apiToken(name, scopes string) string {
	p.t.Helper()
	p.call("POST", "/auth/register", "", `{"username":"`+name+`","email":"`+name+`@example.com","password":"securepassword","confirm_password":"securepassword"}`)
	_, login := p.call("POST", "/auth/login", "", `{"email":"`+name+`@example.com","password":"securepassword"}`)
	access, _ := login["access_token"].(string)
	status, made := p.call("POST", "/auth/tokens", access, `{"name":"claude","scopes":[`+scopes+`]}`)
	token, _ := made["token"].(string)
	if token == "" {
		p.t.Fatal(status, made)
	}
	return token
}

func TestWhatIsWrongWithABridge(t *testing.T) {
	data := folder(t)
	if err := os.WriteFile("empty", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	with := world{environ: []string{"TASKAPI_TOKEN=tapi_x"}}
	world{}.taskapi(t, "mcp", data).expect(t, exitUsage, "there is no API token")
	world{}.taskapi(t, "mcp", data, "--token-file=empty").expect(t, exitUsage, "there is no API token")
	world{}.taskapi(t, "mcp", data, "--token-file=missing").expect(t, exitFailed, "can't be read")
	world{environ: []string{"TASKAPI_TOKEN=a b"}}.taskapi(t, "mcp").expect(t, exitUsage, "that is no API token")
	with.taskapi(t, "mcp", "--token-file=empty").expect(t, exitUsage, "not both")
	with.taskapi(t, "mcp", "tapi_secret").expect(t, exitUsage, "no address")
	with.taskapi(t, "mcp", "http://127.0.0.1:1", "http://127.0.0.1:2").expect(t, exitUsage, "at most one argument")
	for address, code := range map[string]int{ // 192.0.2.0/24 is nobody's: what is sent there would time out
		"http://192.0.2.1": exitUsage, "http://tasks.example.com": exitUsage, "http://127.0.0.1.example.com:8000": exitUsage, "http://localhost.example.com": exitUsage,
		"http://[2001:db8::1]": exitUsage, "http://127.0.0.1@192.0.2.1": exitUsage, "http://127.9.9.9:1": exitFailed, "http://[::1]:1": exitFailed, "http://LOCALHOST:1": exitFailed,
		"https://127.0.0.1:1": exitFailed,
	} {
		if o := with.taskapi(t, "mcp", address); o.code != code || strings.Contains(o.err, "--plain-http") != (code == exitUsage) {
			t.Errorf("%s: %d %s", address, o.code, o.err)
		}
	}
	with.taskapi(t, "mcp", "http://127.0.0.1:1", "--plain-http=maybe").expect(t, exitUsage, "expected on or off")
	for _, asked := range []outcome{with.taskapi(t, "mcp", "http://nowhere.invalid", "--plain-http=on"), world{environ: []string{"TASKAPI_TOKEN=tapi_x", "TASKAPI_PLAIN_HTTP=on"}}.taskapi(t, "mcp", "http://nowhere.invalid")} {
		asked.expect(t, exitFailed, "nowhere.invalid")
	}
	with.taskapi(t, "mcp", "http://127.0.0.1:1").expect(t, exitFailed, "http://127.0.0.1:1", "connection refused")
	world{environ: []string{"TASKAPI_TOKEN_FILE=missing"}}.taskapi(t, "mcp").expect(t, exitFailed, "can't be read")
	// A server in the same environment does not mind.
	with.taskapi(t, "config", data).expect(t, exitOK, "addr")
	for _, o := range []outcome{with.taskapi(t, "mcp", "tapi_secret"), with.taskapi(t, "mcp", "http://127.0.0.1:1")} {
		if strings.Contains(o.out+o.err, "tapi_") {
			t.Errorf("the token is shown: %s%s", o.out, o.err)
		}
	}
	p := start(t, nil)
	with.taskapi(t, "mcp", data).expect(t, exitFailed, "the server refuses the token", "tasks:read")
	if code := p.stop(syscall.SIGTERM); code != exitOK {
		t.Errorf("exit code %d", code)
	}
}
