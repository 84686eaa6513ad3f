// What another app shares with the page, which it opens at /?share_title=…&share_text=…,
// or what a shortcut asks for. No DOM here.

const most = 2_000; // letters

// sharedIn reads an address: text for the add field, undefined without; and add, whether a
// task is to be typed. A title that the text repeats, or an address that it holds, is there
// once.
export function sharedIn(search) {
  const given = new URLSearchParams(search);
  const parts = ["share_title", "share_text", "share_url"].map((name) => (given.get(name) ?? "").replace(/\s+/g, " ").trim()).filter(Boolean);
  const text = parts.filter((part, i) => !parts.some((other, j) => j !== i && other.includes(part) && (other !== part || j < i))).join(" ");
  return { text: Array.from(text).slice(0, most).join("") || undefined, add: given.has("add") || Boolean(text) };
}

// readShared reads the address of the page, and takes it away: what was shared once is not
// added again by a reload.
function readShared() {
  const shared = sharedIn(location.search);
  if (shared.add) history.replaceState(history.state, "", location.pathname + location.hash);
  return shared;
}

const kept = "taskapi.shared";

// keepShared keeps what the address says until somebody is signed in.
export function keepShared(storage) {
  const { add, text = "" } = readShared();
  if (add) storage.setItem(kept, text);
}

// handOver is the text that was kept, once; undefined without.
export function handOver(storage) {
  const text = storage.getItem(kept) ?? undefined;
  storage.removeItem(kept);
  return text;
}
