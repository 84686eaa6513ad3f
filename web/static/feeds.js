// The calendar feeds of an account: addresses at which calendars read its tasks.

import { submit } from "./auth.js";
import { announce, h } from "./dom.js";
import { act, choice, chosen, folded, listChoices } from "./folded.js";
import { speaker } from "./i18n.js";

const texts = {
  en: {
    title: "Calendar feeds", hint: "A calendar that takes an address shows your tasks. Whoever knows the address can read them.", list: "Of", all: "all lists", as: "As",
    both: "tasks and events", event: "events", todo: "tasks", create: "Create a feed", revoke: "Revoke", revoked: "Revoked.", secret: "The address of the feed",
  },
  es: {
    title: "Enlaces de calendario", hint: "Un calendario al que se da la dirección muestra tus tareas. Quien conozca la dirección puede leerlas.", list: "De", all: "todas las listas", as: "Como",
    both: "tareas y eventos", event: "eventos", todo: "tareas", create: "Crear un enlace", revoke: "Revocar", revoked: "Revocado.", secret: "La dirección del enlace",
  },
};
const say = speaker(texts);

// feeds is that part of the account; once shows an address.
export const feeds = (api, once) => folded("feeds", say("title"), async (body, tell) => {
  const { lists } = await api.get("/lists/?per_page=100");
  const lines = listChoices(lists, say("all"));
  const nameOf = (feed) => `${lines.find(([id]) => id === (feed.list_id ?? ""))?.[1] ?? "–"} · ${say(feed.as)}`;
  const draw = async (url) => {
    const { feeds: all } = await api.get("/feeds/?per_page=100");
    body.replaceChildren(h("p", { class: "soft" }, say("hint")), url ? once(url, say("secret")) : "", h("ul", { class: "things" }, all.map((feed) => row(feed))), form());
    body.querySelector(".once input")?.select();
  };
  const row = (feed) => h("li", {}, h("div", {}, h("b", {}, nameOf(feed))),
    act(tell, say("revoke"), nameOf(feed), async () => {
      await api.request("DELETE", `/feeds/${feed.id}`);
      await draw();
      announce(say("revoked"));
      body.querySelector("#feed-list").focus();
    }));
  const form = () => submit(h("form", { id: "new-feed" }, choice("feed-list", say("list"), lines), choice("feed-as", say("as"), ["both", "event", "todo"].map((form) => [form, say(form)])),
    h("button", { type: "submit", class: "second" }, say("create"))),
  async () => {
    const { feed } = await api.request("POST", "/feeds/", { list_id: chosen(body, "feed-list"), as: body.querySelector("#feed-as").value });
    await draw(feed.url);
  });
  await draw();
});
