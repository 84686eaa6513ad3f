// Gives the viewer of the reference the token of whoever is signed in on the page of the same
// origin, and on a developer's server that of a seeded person. A token is only ever in memory.

import { Api } from "./api.js";
import { base } from "./surroundings.js";

const viewer = /** @type {any} */ (document.querySelector("rapi-doc"));
const status = document.querySelector("#who [role=status]");
const scheme = "accessToken"; // its name in the document
const nobody = "Nobody is signed in on the page.";
const shown = 8; // people with a button that needs no opening

const api = new Api();
const say = (text) => { status.textContent = text; };

// One who may make requests: a name, and how to get a token.
let present, filled;

/** fill renews the token of a person and hands it to the viewer. @param {{name: () => Promise<string>, token: () => Promise<string>}} person */
async function fill(person) {
  present = person;
  try {
    const token = await person.token();
    const name = await person.name();
    if (present !== person) return false; // somebody else was picked meanwhile
    filled = token;
    viewer.setApiKey(scheme, token);
    say(`Requests are made as ${name}.`);
    return true;
  } catch (error) {
    if (present !== person) return false;
    if (filled) viewer.removeAllSecurityKeys();
    present = filled = undefined;
    say(person === ofThePage && !api.userID ? nobody : `There is no token: ${error.message}`);
    return false;
  }
}

const ofThePage = { token: () => api.token(), name: async () => (await api.get("/users/me")).username };

const seeded = ({ username, email, password }) => ({
  // Without the cookie, which is that of the page.
  token: async () => (await api.post("/auth/login", { email, password })).access_token,
  name: async () => username,
});

function buttonFor(user, all) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = user.role === "admin" ? `${user.username}, admin` : user.username;
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", async () => {
    for (const each of all) each.setAttribute("aria-pressed", String(each === button));
    if (!await fill(seeded(user)) && !present) button.setAttribute("aria-pressed", "false");
  });
  return button;
}

// offer shows a button for each seeded person.
async function offer() {
  const { users } = await (await fetch(`${base}/dev/users`)).json();
  const buttons = [];
  for (const user of users) buttons.push(buttonFor(user, buttons));
  const group = document.createElement("div");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", "Make requests as");
  group.append(...buttons.slice(0, shown));
  if (buttons.length > shown) {
    const more = document.createElement("details");
    const summary = document.createElement("summary");
    summary.textContent = `${buttons.length - shown} more`;
    more.append(summary, ...buttons.slice(shown));
    group.append(more);
  }
  document.querySelector("#who").append(group);
}

viewer.addEventListener("spec-loaded", ({ detail }) => {
  if (api.userID && !api.leaving) void fill(ofThePage);
  else say(nobody);
  const ofDevelopers = detail.tags.some(({ paths }) => paths.some(({ path }) => path === "/dev/users"));
  if (ofDevelopers) offer().catch(() => say("The seeded people can't be listed: load the page again."));
}, { once: true });

// A token that has run out is renewed, once for each request that a person makes.
viewer.addEventListener("after-try", async ({ detail: { request, response } }) => {
  if (response.status !== 401 || !present || request.headers.get("Authorization") !== `Bearer ${filled}`) return;
  if (await fill(present)) say(`${status.textContent} The token had run out and was renewed: send the request again.`);
});
