// What the viewer of the reference leaves out and can be given from outside:
// colours by the system, names for its fields and landmarks, and the keyboard.

const viewer = document.querySelector("rapi-doc");
const dark = matchMedia("(prefers-color-scheme: dark)");

function paint() {
  const colours = dark.matches
    ? { theme: "dark", "bg-color": "#14181d", "text-color": "#ece7de", "primary-color": "#7cc9a9", "nav-bg-color": "#1b2027", "nav-text-color": "#ece7de", "nav-hover-text-color": "#7cc9a9" }
    : { theme: "light", "bg-color": "#faf7f1", "text-color": "#1f1d1a", "primary-color": "#1f6f54", "nav-bg-color": "#f1ece2", "nav-text-color": "#1f1d1a", "nav-hover-text-color": "#1f6f54" };
  for (const [name, value] of Object.entries(colours)) viewer.setAttribute(name, value);
}
dark.addEventListener("change", paint);
paint();

// nameOf is what a field is for, from what the viewer notes beside it.
function nameOf(field) {
  if (field.dataset.pname) return field.dataset.pname;
  return field.matches("textarea") ? "Request body" : field.placeholder || field.id || field.type;
}

// entitle calls the two kinds of token by their names: to the viewer both are
// "HTTP Bearer". Only the text changes, which the viewer holds on to.
function entitle(root) {
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (text.data.trim() !== "HTTP Bearer") continue;
    const around = text.parentElement.closest("tr, table") ?? text.parentElement.parentElement;
    text.data = around.textContent.includes("/auth/tokens") ? "API token" : "Access token";
  }
}

function name(root) {
  entitle(root);
  for (const field of root.querySelectorAll("textarea, input, select")) {
    if (!field.labels?.length && !field.hasAttribute("aria-label")) field.setAttribute("aria-label", nameOf(field));
  }
  // What scrolls can be reached by keyboard.
  for (const answer of root.querySelectorAll("pre:not([tabindex])")) answer.tabIndex = 0;
  for (const nav of root.querySelectorAll("nav:not([aria-label])")) nav.setAttribute("aria-label", nav.part.contains("section-navbar") ? "Reference" : "Operations");
  for (const { shadowRoot } of root.querySelectorAll("*")) if (shadowRoot) watch(shadowRoot);
}

// Each part of the viewer draws into a root of its own, and draws again.
const watched = new WeakSet();
function watch(root) {
  if (!watched.has(root)) {
    watched.add(root);
    new MutationObserver(() => soon(root)).observe(root, { childList: true, subtree: true });
  }
  name(root);
}

const waiting = new Set();
function soon(root) {
  if (!waiting.size) requestAnimationFrame(() => { for (const each of waiting) name(each); waiting.clear(); });
  waiting.add(root);
}

customElements.whenDefined("rapi-doc").then(() => watch(viewer.shadowRoot));
