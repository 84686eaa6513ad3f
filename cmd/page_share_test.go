package cmd

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/go-rod/rod"
	"github.com/go-rod/rod/lib/input"
	"github.com/go-rod/rod/lib/proto"
)

// share opens the panel of a list as whoever is signed in. What it tells is in heard.
func (x *tab) share(list int) {
	x.t.Helper()
	x.MustEval(`async (list) => {
		const { renderShare } = await module("share.js"), { Api } = await module("api.js");
		const api = new Api();
		await api.resume();
		document.querySelector("#panel")?.remove();
		const panel = document.createElement("div");
		panel.id = "panel";
		document.querySelector("#anchor").parentElement.after(panel);
		window.heard = [];
		window.panel = renderShare({ container: panel, list: await api.get("/lists/" + list).then((answer) => answer.list ?? answer), me: api.userID, api, language: document.documentElement.lang,
			onChange: (what) => heard.push(what), onClose: () => heard.push("closed") });
	}`, list)
	x.wait(`!document.querySelector("#panel .loading")`)
}

// join makes a person a member of a list.
func (p *process) join(owner, member string, list int, role string) {
	p.t.Helper()
	_, code, _ := strings.Cut(p.invite(owner, list, role), "#")
	p.done("POST", "/invitations/accept", member, fmt.Sprintf(`{"token":%q}`, code))
}

func (x *tab) people() string {
	x.t.Helper()
	return x.MustEval(`() => [...document.querySelectorAll("#panel .share-people:first-of-type .share-who")].map((e) => e.innerText.replace(/\s+/g, " ").trim() + ":" + (e.parentElement.querySelector("select")?.value ?? e.parentElement.querySelector(".share-role")?.textContent ?? "-")).join("|")`).String()
}

// The owner of a list invites, changes roles, removes and hands over.
func TestPagePartsShareAsOwner(t *testing.T) {
	p, x := part(t, "")
	ann := p.login()
	bob, eve := p.another("bob"), p.another("eve")
	list := p.list(ann, "Groceries <b>")
	x.share(list)
	if got := x.people(); got != "ann (you) ann@example.com:Owner" || x.focus() != "h2" {
		t.Error(got, x.focus())
	}
	x.looks("share alone", "#panel")
	p.join(ann, bob, list, "editor")
	p.join(ann, eve, list, "viewer")
	x.MustEval(`() => panel.refresh()`)
	if got := x.people(); got != "ann (you) ann@example.com:Owner|bob bob@example.com:editor|eve eve@example.com:viewer" {
		t.Error(got)
	}

	// By link and by mail.
	x.MustElement("#share-as").MustSelect("Viewer")
	x.click("#panel form button[type=button]")
	x.wait(`document.activeElement.id === "share-copy" && document.querySelector("#share-url").value.includes("/invitation#")`)
	x.looks("share with a link", "#panel")
	x.click("#panel form [type=submit]")
	x.wait(`document.querySelector("#share-email-problem").textContent === "Give an address." && document.activeElement.id === "share-email"`)
	x.enter("#share-email", "nobody")
	x.press(input.Enter)
	x.wait(`document.querySelector("#share-email-problem").textContent.includes("valid") && document.activeElement.getAttribute("aria-invalid") === "true"`)
	x.replace("#share-email", "zoe@example.com")
	x.press(input.Enter)
	x.wait(`document.querySelector("#panel .once").textContent.includes("zoe@example.com") && document.querySelectorAll("[id^=share-revoke]").length === 2 && !document.querySelector("#share-email-problem").textContent`)
	x.looks("share with invitations", "#panel")
	x.click("[id^=share-revoke]")
	x.wait(`document.querySelectorAll("[id^=share-revoke]").length === 1 && document.activeElement.id.startsWith("share-revoke") && !document.querySelector("#panel .once")`)

	// Roles, and what can't be undone is asked first.
	id := func(name string) string {
		return x.MustEval(`(name) => [...document.querySelectorAll("#panel .share-people select")].find((e) => e.getAttribute("aria-label").endsWith(" " + name)).id.split("-").at(-1)`, name).String()
	}
	bobID, eveID := id("bob"), id("eve")
	x.MustElement("#share-role-" + eveID).MustSelect("Editor")
	x.wait(`heard.at(-1) === "members" && document.querySelector("#announcer").textContent === "eve: Editor."`)
	x.click("#share-remove-" + eveID)
	x.wait(`document.activeElement.id === "share-no"`)
	x.looks("share asking", "#panel")
	x.press(input.Escape)
	x.wait(`!document.querySelector("#share-no")`)
	if got := x.focus(); got != "share-remove-"+eveID {
		t.Error("after Esc:", got)
	}
	x.click("#share-remove-" + eveID)
	x.click("#share-yes")
	x.wait(`!document.querySelector("#share-remove-` + eveID + `") && document.activeElement.id === "share-remove-` + bobID + `"`)

	// What the server refuses is said in the row, which is then as it was.
	stop := x.answer("*/members/"+bobID, http.MethodPatch, func(h *rod.Hijack) {
		h.Response.Payload().ResponseCode = http.StatusConflict
		h.Response.SetHeader("Content-Type", "application/json").SetBody(`{"error":"There are as many lists as an account may have.","code":"too_many_lists"}`)
	})
	x.MustElement("#share-role-" + bobID).MustSelect("Hand over")
	x.wait(`document.querySelector("#share-question").textContent.startsWith("bob becomes the owner, and you an editor.")`)
	x.click("#share-yes")
	x.wait(`document.querySelector("#panel .share-people .problem")?.textContent === "There are as many lists as an account may have."`)
	x.looks("share refused", "#panel")
	x.click("#share-no")
	x.wait(`document.querySelector("#share-role-` + bobID + `").value === "editor"`)
	stop()
	x.MustElement("#share-role-" + bobID).MustSelect("Hand over")
	x.click("#share-yes")
	x.wait(`heard.at(-1) === "owner" && !document.querySelector("#share-email")`)
	if got := x.people(); got != "ann (you):Editor|bob:Owner" || x.focus() != "h2" {
		t.Error(got, x.focus())
	}
	if role := p.done("GET", fmt.Sprintf("/lists/%d", list), bob, ""); !strings.Contains(fmt.Sprint(role), "role:owner") {
		t.Error(role)
	}

	// Then she may leave.
	x.click("#share-leave")
	x.looks("share leaving", "#panel")
	x.click("#share-yes")
	x.wait(`heard.slice(-2).join() === "left,closed" && !document.querySelector("#panel").firstChild`)
	if status, _ := p.call("GET", fmt.Sprintf("/lists/%d", list), ann, ""); status != 404 {
		t.Error(status)
	}
}

// Long names of one word, and those from right to left, break nothing.
func TestPagePartsShareLongNames(t *testing.T) {
	p, x := part(t, "")
	ann := p.login()
	list := p.list(ann, strings.Repeat("Donaudampfschifffahrt", 4))
	p.join(ann, p.another(strings.Repeat("wolfeschlegel", 3)), list, "editor")
	hebrew := p.another("noa")
	p.done("PUT", "/users/me", hebrew, `{"username":"נועה כהן (בית)"}`)
	p.join(ann, hebrew, list, "viewer")
	x.share(list)
	x.wait(`document.querySelectorAll("#panel .share-people li").length === 3`)
	x.looks("share with long names", "#panel")
	x.click("[id^=share-remove]")
	x.looks("share with long names, asking", "#panel")
}

// A viewer sees who is there, and what changes meanwhile; without the server the panel
// says so, and goes on.
func TestPagePartsShareAsMember(t *testing.T) {
	p, x := part(t, "es-ES")
	ann := p.login()
	bob := p.another("bob")
	list := p.list(bob, "Casa")
	p.join(bob, ann, list, "viewer")
	stop := x.answer("*/members?*", http.MethodGet, func(h *rod.Hijack) { h.Response.Fail(proto.NetworkErrorReasonFailed) })
	x.share(list)
	x.wait(`document.querySelector("#panel [role=alert]").textContent.startsWith("El servidor no responde.")`)
	stop()
	x.click("#panel [role=alert] button")
	x.wait(`document.querySelector("#share-leave")`)
	if got := x.people(); got != "ann (tú):Solo lee|bob:Propiedad" && got != "bob:Propiedad|ann (tú):Solo lee" {
		t.Error(got)
	}
	x.looks("share as a viewer, in Spanish", "#panel")
	p.done("DELETE", fmt.Sprintf("/lists/%d/members/%v", list, x.MustEval(`() => Number(localStorage.getItem("taskapi.user"))`).Int()), bob, "")
	x.click("#share-leave")
	x.click("#share-yes")
	x.wait(`document.querySelector("#panel .problem")?.textContent`)
	x.press(input.Escape)
	x.wait(`heard.at(-1) === "closed"`)
	x.share(int(p.done("GET", "/lists/", ann, "")["lists"].([]any)[0].(map[string]any)["id"].(float64)))
	x.wait(`document.querySelector("#panel p").textContent.startsWith("La bandeja de entrada es solo tuya.") && !document.querySelector("#panel select")`)
}
