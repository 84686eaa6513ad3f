// Small helpers for the DOM. Text is only ever set as text.

import { t } from "./i18n.js";

export const $ = (selector, root = document) => root.querySelector(selector);

// h makes an element. Properties that begin with "on" are listeners, those
// with a hyphen and "role" are attributes, the rest are properties.
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.includes("-") || name === "role" || name === "for" || name === "class") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// field is a labelled input with a place for what is wrong with it.
export function field(name, label, props = {}) {
  const id = props.id ?? `field-${name}`;
  const input = h(props.multiline ? "textarea" : "input", { id, name, "aria-describedby": `${id}-problem`, ...props });
  return h("div", { class: "field" }, h("label", { for: id }, label), input, h("p", { class: "problem", id: `${id}-problem` }));
}

// problems shows what is wrong with the fields of a form, and puts the focus
// on the first. It returns what belongs to no field of it.
export function problems(form, errors = {}) {
  const rest = { ...errors };
  let first = null;
  for (const input of form.querySelectorAll("input, textarea")) {
    const problem = document.getElementById(`${input.id}-problem`);
    if (!problem) continue;
    const text = errors[input.name] ?? "";
    problem.textContent = text;
    input.setAttribute("aria-invalid", String(Boolean(text)));
    if (text && !first) first = input;
    delete rest[input.name];
  }
  first?.focus();
  return Object.values(rest);
}

// ask asks a question, and says whether the answer is yes.
export function ask(text, yes, no) {
  return new Promise((resolve) => {
    const dialog = h("dialog", { "aria-labelledby": "ask" }, h("p", { id: "ask" }, text), h("div", { class: "line" },
      h("button", { type: "button", onclick: () => dialog.close() }, no), h("button", { type: "button", class: "quiet", onclick: () => dialog.close("yes") }, yes)));
    dialog.addEventListener("close", () => { dialog.remove(); resolve(dialog.returnValue === "yes"); });
    document.body.append(dialog);
    dialog.showModal();
  });
}

// announce tells something to who can't see it.
export function announce(text) {
  const region = $("#announcer");
  region.textContent = "";
  // A region that gets the same text again says nothing.
  requestAnimationFrame(() => { region.textContent = text; });
}

// tooLong says in a sentence that a text has too many characters; "" if not.
// Characters are counted as the server does, not the halves that some are made of.
export function tooLong(text, max) {
  const over = [...text.trim()].length - max;
  return over > 0 ? t("long", { n: over, max }) : "";
}

export const isTyping = (target) => target instanceof HTMLElement && target.matches("input:not([type=checkbox]), textarea, select, [contenteditable]");
