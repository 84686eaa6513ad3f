// The webhooks of an account: which programs are told of changes, and how that goes.

import { submit } from "./auth.js";
import { announce, field, h } from "./dom.js";
import { act, choice, chosen, folded, listChoices } from "./folded.js";
import { date, speaker } from "./i18n.js";

const kinds = {
  added: ["task.created"], changed: ["task.updated", "task.moved", "task.reopened", "task.restored"], done: ["task.completed"], deleted: ["task.deleted"],
  lists: ["list.created", "list.updated", "list.deleted", "list.shared", "list.left"], reminders: ["reminder.due"],
};
const texts = {
  en: {
    title: "Webhooks", hint: "They tell other programs what changes.", url: "Address", events: "Tells of", list: "From", all: "all lists", create: "Create a webhook",
    added: "new tasks", changed: "changed tasks", done: "completed tasks", deleted: "deleted tasks", lists: "lists", reminders: "reminders", needed: "Choose at least one thing that it tells of.",
    off: "off since it failed for too long", failing: "failing since {date}: {error}", fine: "works", test: "Test", arrived: "The test has arrived.", failed: "The test did not arrive: {error}", resume: "Go on",
    remove: "Delete", removed: "Deleted.", secret: "The secret of the webhook",
  },
  es: {
    title: "Webhooks", hint: "Avisan a otros programas de lo que cambia.", url: "Dirección", events: "Avisa de", list: "De", all: "todas las listas", create: "Crear un webhook",
    added: "tareas nuevas", changed: "tareas cambiadas", done: "tareas hechas", deleted: "tareas borradas", lists: "listas", reminders: "recordatorios", needed: "Elige al menos una cosa de la que avise.",
    off: "apagado porque falló demasiado tiempo", failing: "falla desde {date}: {error}", fine: "funciona", test: "Probar", arrived: "La prueba ha llegado.", failed: "La prueba no llegó: {error}", resume: "Seguir",
    remove: "Borrar", removed: "Borrado.", secret: "El secreto del webhook",
  },
};
const say = speaker(texts);

// namesOf says what a webhook tells of.
const namesOf = ({ events }) => Object.keys(kinds).filter((kind) => kinds[kind].some((event) => events.includes(event))).map((kind) => say(kind)).join(", ");

const stateOf = ({ state, failing_since: since, last_error: error }) => (state === "off" ? say("off") : since ? say("failing", { date: date(since), error }) : say("fine"));

// webhooks is that part of the account; once shows a secret.
export const webhooks = (api, once) => folded("webhooks", say("title"), async (body, tell) => {
  const { lists } = await api.get("/lists/?per_page=100");
  const nameOf = (id) => (id === null ? say("all") : lists.find((list) => list.id === id)?.name ?? "–");
  const draw = async (secret) => {
    const { webhooks: all } = await api.get("/webhooks/?per_page=100");
    body.replaceChildren(h("p", { class: "soft" }, say("hint")), secret ? once(secret, say("secret")) : "", h("ul", { class: "things" }, all.map((hook) => row(hook))), form());
    body.querySelector(".once input")?.select();
  };
  const button = (what, { url }, run) => act(tell, what, url, run);
  const row = (hook) => h("li", {},
    h("div", {}, h("b", { class: "long" }, hook.url), h("br"), h("span", { class: "soft" }, `${namesOf(hook)} · ${nameOf(hook.list_id)} · ${stateOf(hook)}`)),
    h("div", {},
      hook.state === "off" || hook.failing_since ? button(say("resume"), hook, async () => {
        await api.request("POST", `/webhooks/${hook.id}/resume`, { from: "where_it_stopped" });
        await draw();
      }) : button(say("test"), hook, async () => {
        const { attempt } = await api.request("POST", `/webhooks/${hook.id}/test`);
        return attempt.delivered ? say("arrived") : say("failed", { error: attempt.error || attempt.status });
      }),
      button(say("remove"), hook, async () => {
        await api.request("DELETE", `/webhooks/${hook.id}`);
        await draw();
        announce(say("removed"));
        body.querySelector("[name=url]").focus();
      })));
  const form = () => submit(h("form", { id: "new-webhook" }, field("url", say("url"), { type: "url", required: true, "data-max": 2000, autocomplete: "off", placeholder: "https://" }),
    h("fieldset", { class: "field" }, h("legend", {}, say("events")), Object.keys(kinds).map((kind) => h("label", { class: "check" }, h("input", { type: "checkbox", name: kind, checked: kind === "done" }), say(kind)))),
    choice("webhook-list", say("list"), listChoices(lists, say("all"))),
    h("button", { type: "submit", class: "second" }, say("create"))),
  async (values) => {
    const told = Object.keys(kinds).filter((kind) => values[kind]);
    if (!told.length) throw new Error(say("needed"));
    const { webhook } = await api.request("POST", "/webhooks/", { url: values.url, events: told.flatMap((kind) => kinds[kind]), list_id: chosen(body, "webhook-list") });
    await draw(webhook.secret);
  });
  await draw();
});
