// Reminders on this device: a subscription of the browser, which the server pushes to.

import "./parts.js";
import { h } from "./dom.js";
import { said, t } from "./i18n.js";
import { local } from "./surroundings.js";

// The mark names the person who has switched reminders on here. They end with a session, and
// are switched on again with the next one of the same person, and of nobody else.
const mark = "taskapi.push";

// manager is what subscribes the browser; undefined where it can't show anything, or won't.
async function manager() {
  try {
    if (!("PushManager" in window && "Notification" in window)) return undefined;
    return (await navigator.serviceWorker.getRegistration())?.pushManager;
  } catch {
    return undefined;
  }
}

// current is the browser's subscription, if there is one.
const current = (pushes) => pushes.getSubscription().catch(() => null);

// bytes reads base64 for URLs.
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));

// known is what the server has of the browser's subscription, if there is one.
async function known(api, subscription) {
  if (!subscription) return undefined;
  const { subscriptions } = await api.get("/push/subscriptions");
  return subscriptions.find(({ endpoint }) => endpoint === subscription.endpoint);
}

async function switchOn(api, pushes) {
  if (await Notification.requestPermission() !== "granted") throw new Error(t("push.denied"));
  const { public_key: key } = await api.get("/push/key");
  const subscribe = () => pushes.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) });
  const subscription = await subscribe().catch(async (error) => {
    if (error.name !== "InvalidStateError") throw new Error(t("push.failed"));
    await (await current(pushes))?.unsubscribe(); // it is one of another key
    return subscribe();
  });
  await api.request("POST", "/push/subscriptions", subscription.toJSON());
  local.setItem(mark, String(api.userID));
}

// again switches reminders on for who had them on here before they signed out. It asks
// nothing, and what does not work stays off.
export async function again(api) {
  const pushes = await manager();
  if (pushes && Notification.permission === "granted") await switchOn(api, pushes);
}

async function switchOff(api, pushes) {
  const subscription = await current(pushes);
  const there = await known(api, subscription);
  if (there) await api.request("DELETE", `/push/subscriptions/${there.id}`);
  await subscription?.unsubscribe();
  local.removeItem(mark);
}

// reminders is the part of the account that switches them on and off; empty where they can't be.
export async function reminders(api) {
  const pushes = await manager();
  if (!pushes) return "";
  const status = h("p", { role: "status" });
  const box = h("input", { type: "checkbox", name: "push", checked: Boolean(await known(api, await current(pushes))) });
  box.addEventListener("change", async () => {
    box.disabled = true;
    status.textContent = "";
    try {
      await (box.checked ? switchOn : switchOff)(api, pushes);
      status.textContent = t(box.checked ? "push.on" : "push.off");
    } catch (error) {
      box.checked = !box.checked;
      status.textContent = said(error);
    }
    box.disabled = false;
  });
  return h("section", { id: "reminders" }, h("h2", {}, t("push")), h("label", { class: "check" }, box, t("push.do")), h("p", { class: "soft" }, t("push.hint")), status);
}
