// The first list of a new account, which teaches by being done. It is loaded right after
// somebody has registered here. One request makes it, and is kept as it is until the server
// has answered: so there is one list, however often it has to be sent, and none again.

import { speaker } from "./i18n.js";
import { local, uid } from "./surroundings.js";

const texts = {
  en: {
    name: "First steps",
    tick: "Tick me", tickMore: "The box at the left.",
    open: "Open me to add a date", openMore: "Press the title: more is under it.",
    part: "Drag me: I am a part of the task above",
    share: "Share this list", shareMore: "At the top, by link or by mail.",
    remove: "Delete this list when you are done", removeMore: "At the top, behind the three dots.",
  },
  es: {
    name: "Primeros pasos",
    tick: "Márcame", tickMore: "La casilla de la izquierda.",
    open: "Ábreme para ponerme una fecha", openMore: "Pulsa el título: lo demás está debajo.",
    part: "Arrástrame: soy parte de la tarea de arriba",
    share: "Comparte esta lista", shareMore: "Arriba, con un enlace o por correo.",
    remove: "Borra esta lista cuando acabes", removeMore: "Arriba, tras los tres puntos.",
  },
};

// requestOf is what makes the list; today is the date on the person's wall.
function requestOf(today) {
  const say = speaker(texts), list = uid(), parent = uid();
  const make = (title, more) => ({ method: "POST", path: "/tasks/", body: { uid: uid(), title, list_id: list, ...more } });
  const open = make(say("open"), { description: say("openMore"), uid: parent });
  return { key: uid(), requests: [
    { method: "POST", path: "/lists/", body: { uid: list, name: say("name"), color: "#2e8b57" } },
    // The newest stands first.
    make(say("remove"), { description: say("removeMore") }), make(say("share"), { description: say("shareMore") }), open,
    make(say("part"), { parent_id: parent }), make(say("tick"), { description: say("tickMore"), due: today }),
  ] };
}

// sample makes the list and returns its id, 0 if the server won't have it. The mark says what
// has become of it: a request that was not answered, or "made".
export async function sample(api, mark, today) {
  const request = JSON.parse(local.getItem(mark)) ?? requestOf(today);
  local.setItem(mark, JSON.stringify(request));
  let id = 0;
  try {
    const { responses } = await api.request("POST", "/batch", { requests: request.requests }, { key: request.key });
    id = responses[0].body.list.id;
  } catch (error) {
    if (!error.status || error.later || error.status === 401) throw error; // another time
  }
  local.setItem(mark, '"made"');
  return id;
}
