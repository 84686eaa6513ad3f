// What happened to the account, the last first, for who wants to know.

import { h } from "./dom.js";
import { folded } from "./folded.js";
import { date, said, speaker } from "./i18n.js";

const perPage = 20;
const texts = {
  en: {
    title: "What happened", more: "Earlier", by: "{what}, by somebody else", user_created: "Account made", login: "Signed in", login_refused: "Sign-in refused", current_password_refused: "Wrong current password",
    rate_limited: "Too many attempts", refresh_token_replayed: "A stolen session was shown, and has ended", logout: "Signed out", logout_all: "Signed out everywhere", session_ended: "A device was signed out",
    password_changed: "Password changed", password_reset_requested: "Link for a new password asked for", password_reset: "New password by a link", link_refused: "A link was refused", username_changed: "Name changed",
    email_change_requested: "New address asked for", email_changed: "Address changed", email_verified: "Address confirmed", role_changed: "Role changed", api_token_created: "API token made", api_token_revoked: "API token revoked",
    webhook_created: "Webhook made", webhook_deleted: "Webhook deleted", webhook_secret_rotated: "New secret of a webhook", feed_created: "Calendar feed made", feed_revoked: "Calendar feed revoked",
  },
  es: {
    title: "Qué ha pasado", more: "Anteriores", by: "{what}, por otra persona", user_created: "Cuenta creada", login: "Entrada", login_refused: "Entrada rechazada", current_password_refused: "Contraseña actual incorrecta",
    rate_limited: "Demasiados intentos", refresh_token_replayed: "Se mostró una sesión robada, y se ha cerrado", logout: "Salida", logout_all: "Salida en todas partes", session_ended: "Se cerró la sesión de un dispositivo",
    password_changed: "Contraseña cambiada", password_reset_requested: "Se pidió un enlace para otra contraseña", password_reset: "Contraseña nueva con un enlace", link_refused: "Se rechazó un enlace", username_changed: "Nombre cambiado",
    email_change_requested: "Se pidió otra dirección", email_changed: "Dirección cambiada", email_verified: "Dirección confirmada", role_changed: "Papel cambiado", api_token_created: "Token de API creado", api_token_revoked: "Token de API revocado",
    webhook_created: "Webhook creado", webhook_deleted: "Webhook borrado", webhook_secret_rotated: "Secreto nuevo de un webhook", feed_created: "Enlace de calendario creado", feed_revoked: "Enlace de calendario revocado",
  },
};
const say = speaker(texts);

// history is that part of the account.
export const history = (api) => folded("history", say("title"), async (body) => {
  const list = h("ul", { class: "things" }), more = h("button", { type: "button", class: "second" }, say("more"));
  let page = 0;
  const next = async () => {
    const { events, pagination } = await api.get(`/users/me/audit?per_page=${perPage}&page=${++page}`);
    list.append(...events.map(({ event, date: when, address, detail, user_id: whose, actor_id: actor }) => {
      const what = say(event), foreign = actor !== null && actor !== whose;
      return h("li", {}, h("div", {}, h("b", {}, foreign ? say("by", { what }) : what), h("br"), h("span", { class: "soft" }, [date(when), address, detail].filter(Boolean).join(" · "))));
    }));
    more.hidden = !pagination.has_next;
  };
  more.addEventListener("click", () => next().catch((error) => { more.before(h("p", { class: "problem" }, said(error))); }));
  await next();
  body.append(list, more);
});
