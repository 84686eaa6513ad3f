package cmd

import (
	"net/http"
	"testing"

	"github.com/go-rod/rod"
)

// The page speaks the language of the person, and says everything in each.
func TestPageInSpanish(t *testing.T) {
	b := browser(t)
	folder(t)
	p := start(t, nil)
	x := open(t, b, p.url)
	x.as("es-ES")
	x.wait(`document.documentElement.lang === "es" && document.querySelector("#signin button")?.textContent === "Entrar"`)
	missing := x.MustEval(`async () => {
		const from = document.querySelector("script[type=module]").src;
		const texts = async (language) => Object.assign({}, ...(await Promise.all(["texts", "parts"].map((kind) => import(new URL(kind + "-" + language + ".js", from))))).map((all) => all.texts));
		const [en, es] = [await texts("en"), await texts("es")];
		return [...Object.keys(en).filter((key) => !(key in es)), ...Object.keys(es).filter((key) => !(key in en))].join();
	}`).String()
	if missing != "" {
		t.Errorf("not in both languages: %s", missing)
	}
	x.fill("#signin", "email", "nobody@example.com")
	x.fill("#signin", "password", "wrong password")
	x.click("#signin button[type=submit]")
	x.wait(`document.querySelector("#signin [role=alert]")?.textContent === "El correo o la contraseña no son correctos."`)
	x.shot("refused, in Spanish")
}

// Dates are the whole locale's, keys work on a Spanish keyboard, and what the
// server says is said in Spanish.
func TestPageInOtherLocales(t *testing.T) {
	b := browser(t)
	folder(t)
	p := start(t, nil)
	x := open(t, b, p.url)
	x.as("en-GB")
	x.register()
	x.add("שלום, world")
	x.settled()
	x.click("#list .tick")
	x.wait(`document.querySelector(".fold:not([hidden]) summary")?.textContent === "Done (1)"`)
	x.click("summary")
	x.wait(`/Done \d{1,2} \w+ \d{4}/.test(document.querySelector(".fold .trouble")?.textContent)`)
	if got := x.MustEval(`() => getComputedStyle(document.querySelector(".fold .words")).direction`).String(); got != "rtl" {
		t.Errorf("a Hebrew title runs %s", got)
	}
	x.as("es-MX")
	x.click("summary")
	x.act(".fold .title", (*rod.Element).Focus)
	x.MustEval(`() => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "#", code: "Digit3", ctrlKey: true, altKey: true, modifierAltGraph: true, bubbles: true, cancelable: true }))`)
	x.wait(`document.querySelector("#undo:not([hidden])")?.textContent.startsWith("Borrada: ")`)
	x.MustEval(`() => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "u", ctrlKey: true, bubbles: true, cancelable: true }))`)
	x.wait(`!document.querySelector("#undo").hidden`)
	x.click("#menu button")
	x.wait(`document.querySelector("#signin")`)
	stop := x.answer("*/auth/login", http.MethodPost, func(h *rod.Hijack) {
		h.Response.Payload().ResponseCode = 429
		h.Response.SetHeader("Content-Type", "application/json", "Retry-After", "1")
		h.Response.SetBody(`{"error":"Too many attempts.","code":"too_many_requests"}`)
	})
	x.fill("#signin", "email", "ann@example.com")
	x.fill("#signin", "password", plainPassword)
	x.click("#signin button[type=submit]")
	x.wait(`document.querySelector("#signin [role=alert]").textContent === "Demasiados intentos. Espera 1 segundo."`)
	stop()
}
