// The words of the page, in the person's language.

import { locales } from "./surroundings.js";
import * as dates from "./texts-b.js";
import { zoneOf } from "./zone.js";

const catalogue = {
  en: {
    "new.label": "What needs doing?", "add": "Add",
    "search": "Search", "filter.open": "Open", "filter.done": "Done",
    "done.count": "Done ({n})", "empty": "Nothing to do. Type your first task and press Enter.",
    "empty.search": "No task matches.",
    "task.tick": "Done: {title}", "task.edit": "Edit", "task.edit.of": "Edit: {title}", "task.delete": "Delete", "task.delete.of": "Delete: {title}",
    "task.title": "Title", "task.description": "Description", "task.save": "Save", "task.cancel": "Cancel",
    "task.waiting": "not sent yet", "task.retry": "Try again", "task.drop": "Drop the change",
    "priority.low": "low priority", "priority.medium": "medium priority", "priority.high": "high priority",
    "repeat": "repeats", "repeat.DAILY": "daily", "repeat.WEEKLY": "weekly", "repeat.MONTHLY": "monthly", "repeat.YEARLY": "yearly", "next": "{title}: next on {date}",
    "list.fixed": "read only", "list.fixed.why": "You may only read this list.",
    "invitation": "Invitation", "invitation.signin": "You are invited to a list. Sign in or create an account to see it.",
    "invitation.editor": "{who} invites you to the list “{list}” as an editor.", "invitation.editor.may": "You may read and change its tasks.",
    "invitation.viewer": "{who} invites you to the list “{list}” as a viewer.", "invitation.viewer.may": "You may read its tasks.", "invitation.somebody": "Somebody",
    "invitation.accept": "Accept", "invitation.later": "Not now", "invitation.done": "The list “{list}” is among yours.",
    "task.created": "Added {date}", "task.completed": "Done {date}",
    "undo": "Undo", "deleted": "Deleted: {title}", "ticked": "Done: {title}", "unticked": "Open again: {title}", "added": "Added: {title}", "undone": "Undone.", "undone.title": "Undone: {title}", "ticked.n": "{n|task|tasks} done.",
    "memory.label": "About this browser", "memory": "This browser keeps nothing for this page: what is not sent, and your sign-in, do not survive a reload.",
    "offline": "The server is not answering. You can go on.", "offline.n": "The server is not answering. Your changes ({n}) are kept and will be sent when it does.",
    "offline.sentence": "The server is not answering. Please try again in a moment.", "offline.start": "The server is not answering. This page goes on by itself when it does; what you typed is kept.", "online": "The server is answering again.", "busy": "The server asks to wait. It goes on in {n|second|seconds}.",
    "trouble": "Something went wrong on the server (request {id}). It is tried again; what you type is kept.",
    "empty.all": "All done.", "found": "{n|task matches|tasks match}.", "long": "{n|character|characters} too long: at most {max}.", "title.needed": "A title is needed.",
    "task.lost": "This task was deleted elsewhere.", "task.again": "Add the text as a new task", "task.drop.text": "Drop the text",
    "signout.unsent": "{n|change has|changes have} not reached the server. What is not sent stays on this device until you sign in here again.", "signout.stay": "Stay",
    "leaving": "You are signed out on this device. The server was not answering: the session there ends as soon as it does.", "left": "The session has ended on the server too.",
    "register.closed": "Accounts are made by an admin of this server.", "forgot.done": "If there is an account with this address, a mail with a link for a new password is on its way.",
    "reset.done": "Your password has been changed. Please sign in with it.", "verify.done": "Your e-mail address has been confirmed.",
    "account.resent": "A mail with a link is on its way.", "account.email.done": "Saved. {email} is your address from now on.",
    "tokens.selected": "It is selected: copy it with Ctrl+C.", "scopes.needed": "Choose at least one thing that it may do.", "key.delete": "Del",
    "signin": "Sign in", "signin.title": "Sign in", "register": "Create an account", "signout": "Sign out", "or": "or",
    "email": "E-mail", "password": "Password", "password.new": "New password", "password.again": "The same again", "password.current": "Current password", "username": "Name",
    "forgot": "Forgotten password", "forgot.title": "Forgotten password", "forgot.send": "Send the link", "forgot.hint": "You get a mail with a link for a new password.", "back": "Back",
    "ended": "You were signed out. What you typed is kept.", "reset.title": "Choose a new password", "reset.do": "Set the password",
    "verify.title": "Confirm your e-mail address", "verify.hint": "Press the button to confirm that this address is yours.", "verify.do": "Confirm",
    "link.none": "This page is opened by the link in a mail. Please open that link, or copy all of it.", "to.list": "To the tasks",
    "account": "Account", "account.profile": "You", "account.save": "Save", "account.saved": "Saved.", "account.pending": "{email} becomes your address when you follow the link in the mail to it.",
    "account.unverified": "This address is not confirmed yet.", "account.resend": "Send the link again", "account.password": "Password", "account.password.do": "Change the password", "account.password.done": "The password is changed. Your other devices are signed out, and your API tokens have ended.", "account.password.hint": "It signs your other devices out and ends your API tokens.", "sessions.all.hint": "It ends your API tokens, too.",
    "sessions": "Devices", "sessions.this": "this one", "sessions.used": "last used {date}", "sessions.end": "Sign out", "sessions.end.of": "Sign out: {device}", "sessions.all": "Sign out everywhere", "sessions.ended": "Signed out.",
    "push": "Reminders on this device", "push.do": "Show reminders in this browser", "push.hint": "They come while you are signed in here, even with this page closed, and after your next sign-in again.", "push.on": "Reminders are shown here.", "push.off": "Reminders are not shown here any more.",
    "push.denied": "The browser does not allow notifications of this page. Allow them in its settings.", "push.failed": "The browser can't get messages now. Please try again later.",
    "tokens": "API tokens", "tokens.hint": "For scripts. A token is shown once.", "tokens.none": "There are none.", "tokens.name": "Name", "tokens.scopes": "May", "tokens.until": "Good until", "tokens.forever": "good until revoked", "tokens.until.date": "good until {date}",
    "tokens.create": "Create a token", "tokens.revoke": "Revoke", "tokens.revoke.of": "Revoke: {name}", "tokens.revoked": "Revoked.", "tokens.copy": "Copy", "tokens.copied": "Copied.", "tokens.once": "Keep it now. It is not shown again.",
    "scope.tasks:read": "read tasks", "scope.tasks:write": "change tasks", "scope.account": "manage the account", "scope.admin": "manage others' things",
    "delete.title": "Delete the account", "delete.hint": "All tasks go with it, for ever. Type your e-mail address to go on.", "delete.do": "Delete the account",
    "users": "Users", "users.search": "Search names and addresses", "users.role": "Role", "users.since": "Since", "users.none": "Nobody matches.", "role.admin": "admin", "role.user": "user",
    "page.prev": "Earlier", "page.next": "Later", "help": "Keys", "help.close": "Close",
    "help.n": "new task", "help.search": "search", "help.jk": "next and previous task", "help.x": "tick", "help.e": "edit", "help.delete": "delete", "help.u": "undo", "help.help": "these keys", "help.esc": "out of a field", "help.save": "save an edit",
    "required": "Please fill this in.", "differ": "The two passwords differ.", "failed": "That did not work: {error}", "skip": "To the content",
    "new.today": "What needs doing today?", "new.tomorrow": "What about tomorrow?", "chip.remove": "Not meant: {text}",
    "paste": "Make {n|task|tasks}?", "paste.do": "Make them", "paste.one": "As one line", "pasted": "{n|task|tasks} added.",
    "places": "Places", "places.lists": "Lists", "places.labels": "Labels", "place.search": "Search", "place.today": "Today", "place.upcoming": "Upcoming", "place.inbox": "Inbox", "place.trash": "Trash",
    "count.open": " open", "count.late": ", {n} overdue", "shared.with": "shared with {names}", "late": "Overdue", "overdue": "overdue, {when}", "part.of": "part of {title}", "children": "{done} of {all} done", "assigned": "for {name}",
    "fold": "Fold: {title}", "unfold": "Unfold: {title}", "search.all": "Search everything",
    "empty.today": "Nothing is due today. What you add here is for today.", "empty.upcoming": "Nothing is planned. Write a date with a task, such as “Friday at 9”.", "empty.inbox": "The Inbox is empty. What has no other place comes here.",
    "empty.list": "This list is empty. Paste many lines at once if you have them.", "empty.label": "No open task has this label. Write # and its name with a task.",
    "list.new": "New list", "list.name": "Name of the list", "list.made": "The list “{name}” is made.", "list.rename": "Rename", "list.color": "Colour", "list.delete": "Delete the list", "list.deleted": "List deleted: {name}", "list.leave": "Leave the list", "list.left": "You have left {name}.",
    "share": "Share", "share.missing": "Sharing can't be opened now. Please try again.", "more": "More", "task.more": "More: {title}", "choose": "Choose several", "choose.hint": "Choose tasks", "print": "Print",
    "hue.0": "red", "hue.1": "amber", "hue.2": "olive", "hue.3": "green", "hue.4": "teal", "hue.5": "blue", "hue.6": "violet", "hue.7": "pink",
    "trash.hint": "What is deleted stays here for 30 days.", "trash.none": "The trash is empty.", "trash.empty": "Empty the trash", "trash.empty.ask": "Delete all that is in the trash for good? There is no way back.", "trash.more": "More", "trash.restore": "Put back", "trash.restore.of": "Put back: {title}", "trash.restored": "Back: {title}", "trash.deleted": "deleted {date}",
    "chips": "What it has", "chip.due": "Date", "chip.repeat": "Repeat", "chip.remind": "Remind", "chip.priority": "Priority", "chip.labels": "Labels", "chip.list": "List", "chip.assignee": "For",
    "priority.none": "no priority", "repeat.none": "never", "reminders.n": "{n|reminder|reminders}", "assignee.none": "for anybody", "labels.hint": "home, errands", "part.new": "Add a subtask",
    "deleted.n": "{n|task|tasks} deleted.", "help.order": "up and down", "help.nest": "into and out of the task above", "help.choose": "choose several",
    "order.here": "Tasks are put in order in a list.", "moved": "Moved: {title}", "moved.n": "{n|task|tasks} moved.", "nested": "{title} is part of {parent}.", "changed.n": "{n|task|tasks} changed.",
    "chosen": "{n} chosen", "chosen.label": "Chosen tasks", "chosen.done": "Done", "chosen.none": "Choose none", "date.tomorrow": "Tomorrow", "date.week": "In a week", "date.none": "No date",
    "door.line": "Your tasks, on your own machine.", "door.have": "I have an account",
    "met": "This was changed elsewhere, too. What you wrote is not saved yet.", "met.told": "Changed elsewhere, too: {title}", "met.show": "Show",
    "met.mine": "Yours", "met.theirs": "Theirs", "met.keep.mine": "Keep mine", "met.keep.theirs": "Use theirs", "met.keep.both": "Keep both",
  },
  es: {
    "new.label": "¿Qué hay que hacer?", "add": "Añadir",
    "search": "Buscar", "filter.open": "Pendientes", "filter.done": "Hechas",
    "done.count": "Hechas ({n})", "empty": "No hay nada que hacer. Escribe tu primera tarea y pulsa Intro.",
    "empty.search": "Ninguna tarea coincide.",
    "task.tick": "Hecha: {title}", "task.edit": "Editar", "task.edit.of": "Editar: {title}", "task.delete": "Borrar", "task.delete.of": "Borrar: {title}",
    "task.title": "Título", "task.description": "Descripción", "task.save": "Guardar", "task.cancel": "Cancelar",
    "task.waiting": "sin enviar", "task.retry": "Reintentar", "task.drop": "Descartar el cambio",
    "priority.low": "prioridad baja", "priority.medium": "prioridad media", "priority.high": "prioridad alta",
    "repeat": "se repite", "repeat.DAILY": "cada día", "repeat.WEEKLY": "cada semana", "repeat.MONTHLY": "cada mes", "repeat.YEARLY": "cada año", "next": "{title}: la próxima, {date}",
    "list.fixed": "solo lectura", "list.fixed.why": "Esta lista solo se puede leer.",
    "invitation": "Invitación", "invitation.signin": "Tienes una invitación a una lista. Entra o crea una cuenta para verla.",
    "invitation.editor": "{who} te invita a editar la lista «{list}».", "invitation.editor.may": "Podrás leer y cambiar sus tareas.",
    "invitation.viewer": "{who} te invita a ver la lista «{list}».", "invitation.viewer.may": "Podrás leer sus tareas.", "invitation.somebody": "Alguien",
    "invitation.accept": "Aceptar", "invitation.later": "Ahora no", "invitation.done": "La lista «{list}» ya está entre las tuyas.",
    "task.created": "Añadida {date}", "task.completed": "Hecha {date}",
    "undo": "Deshacer", "deleted": "Borrada: {title}", "ticked": "Hecha: {title}", "unticked": "Pendiente de nuevo: {title}", "added": "Añadida: {title}", "undone": "Deshecho.", "undone.title": "Deshecho: {title}", "ticked.n": "{n|tarea hecha|tareas hechas}.",
    "memory.label": "Sobre este navegador", "memory": "Este navegador no guarda nada para esta página: lo que no se ha enviado y tu sesión no sobreviven a una recarga.",
    "offline": "El servidor no responde. Puedes seguir.", "offline.n": "El servidor no responde. Tus cambios ({n}) se guardan y se enviarán cuando responda.",
    "offline.sentence": "El servidor no responde. Inténtalo dentro de un momento.", "offline.start": "El servidor no responde. Esta página sigue sola cuando responda; lo que escribiste se conserva.", "online": "El servidor vuelve a responder.", "busy": "El servidor pide esperar. Sigue en {n|segundo|segundos}.",
    "trouble": "Algo ha fallado en el servidor (petición {id}). Se vuelve a intentar; lo que escribes se conserva.",
    "empty.all": "Todo hecho.", "found": "{n|tarea coincide|tareas coinciden}.", "long": "Sobran {n|carácter|caracteres}: como mucho {max}.", "title.needed": "Hace falta un título.",
    "task.lost": "Esta tarea se ha borrado en otro sitio.", "task.again": "Añadir el texto como tarea nueva", "task.drop.text": "Descartar el texto",
    "signout.unsent": "{n|cambio no ha|cambios no han} llegado al servidor. Lo que no se ha enviado se queda en este dispositivo hasta que vuelvas a entrar aquí.", "signout.stay": "Quedarse",
    "leaving": "Has salido en este dispositivo. El servidor no respondía: la sesión se cerrará allí en cuanto responda.", "left": "La sesión también se ha cerrado en el servidor.",
    "register.closed": "Las cuentas las crea un administrador de este servidor.", "forgot.done": "Si hay una cuenta con esta dirección, un correo con un enlace para una contraseña nueva está en camino.",
    "reset.done": "La contraseña ha cambiado. Entra con ella.", "verify.done": "Tu correo electrónico está confirmado.",
    "account.resent": "Un correo con un enlace está en camino.", "account.email.done": "Guardado. {email} es tu dirección desde ahora.",
    "tokens.selected": "Está seleccionado: cópialo con Ctrl+C.", "scopes.needed": "Elige al menos una cosa que pueda hacer.", "key.delete": "Supr",
    "signin": "Entrar", "signin.title": "Entrar", "register": "Crear una cuenta", "signout": "Salir", "or": "o",
    "email": "Correo electrónico", "password": "Contraseña", "password.new": "Contraseña nueva", "password.again": "La misma otra vez", "password.current": "Contraseña actual", "username": "Nombre",
    "forgot": "Contraseña olvidada", "forgot.title": "Contraseña olvidada", "forgot.send": "Enviar el enlace", "forgot.hint": "Recibirás un correo con un enlace para una contraseña nueva.", "back": "Volver",
    "ended": "Se ha cerrado la sesión. Lo que escribiste se conserva.", "reset.title": "Elige una contraseña nueva", "reset.do": "Poner la contraseña",
    "verify.title": "Confirma tu correo electrónico", "verify.hint": "Pulsa el botón para confirmar que esta dirección es tuya.", "verify.do": "Confirmar",
    "link.none": "Esta página se abre con el enlace de un correo. Abre ese enlace o cópialo entero.", "to.list": "A las tareas",
    "account": "Cuenta", "account.profile": "Tú", "account.save": "Guardar", "account.saved": "Guardado.", "account.pending": "{email} será tu dirección cuando sigas el enlace del correo enviado a ella.",
    "account.unverified": "Esta dirección aún no está confirmada.", "account.resend": "Enviar otra vez el enlace", "account.password": "Contraseña", "account.password.do": "Cambiar la contraseña", "account.password.done": "La contraseña ha cambiado. Tus otros dispositivos han salido y tus tokens de API ya no sirven.", "account.password.hint": "Tus otros dispositivos saldrán y tus tokens de API dejarán de servir.", "sessions.all.hint": "También anula tus tokens de API.",
    "sessions": "Dispositivos", "sessions.this": "este", "sessions.used": "usado por última vez {date}", "sessions.end": "Cerrar sesión", "sessions.end.of": "Cerrar sesión: {device}", "sessions.all": "Cerrar sesión en todas partes", "sessions.ended": "Sesión cerrada.",
    "push": "Recordatorios en este dispositivo", "push.do": "Mostrar recordatorios en este navegador", "push.hint": "Llegan mientras tengas aquí la sesión abierta, aunque cierres esta página, y otra vez cuando vuelvas a entrar.", "push.on": "Los recordatorios se muestran aquí.", "push.off": "Los recordatorios ya no se muestran aquí.",
    "push.denied": "El navegador no permite notificaciones de esta página. Permítelas en sus ajustes.", "push.failed": "El navegador no puede recibir mensajes ahora. Inténtalo más tarde.",
    "tokens": "Tokens de API", "tokens.hint": "Para programas. Un token se muestra una sola vez.", "tokens.none": "No hay ninguno.", "tokens.name": "Nombre", "tokens.scopes": "Puede", "tokens.until": "Válido hasta", "tokens.forever": "válido hasta revocarlo", "tokens.until.date": "válido hasta {date}",
    "tokens.create": "Crear un token", "tokens.revoke": "Revocar", "tokens.revoke.of": "Revocar: {name}", "tokens.revoked": "Revocado.", "tokens.copy": "Copiar", "tokens.copied": "Copiado.", "tokens.once": "Guárdalo ahora. No se vuelve a mostrar.",
    "scope.tasks:read": "leer tareas", "scope.tasks:write": "cambiar tareas", "scope.account": "gestionar la cuenta", "scope.admin": "gestionar lo de otras personas",
    "delete.title": "Borrar la cuenta", "delete.hint": "Todas las tareas se van con ella, para siempre. Escribe tu correo electrónico para seguir.", "delete.do": "Borrar la cuenta",
    "users": "Usuarios", "users.search": "Buscar nombres y direcciones", "users.role": "Rol", "users.since": "Desde", "users.none": "Nadie coincide.", "role.admin": "administrador", "role.user": "usuario",
    "page.prev": "Anteriores", "page.next": "Siguientes", "help": "Teclas", "help.close": "Cerrar",
    "help.n": "tarea nueva", "help.search": "buscar", "help.jk": "tarea siguiente y anterior", "help.x": "marcar", "help.e": "editar", "help.delete": "borrar", "help.u": "deshacer", "help.help": "estas teclas", "help.esc": "salir de un campo", "help.save": "guardar una edición",
    "required": "Rellena este campo.", "differ": "Las dos contraseñas son distintas.", "failed": "No ha funcionado: {error}", "skip": "Al contenido",
    "new.today": "¿Qué toca hoy?", "new.tomorrow": "¿Qué toca mañana?", "chip.remove": "No era eso: {text}",
    "paste": "¿Crear {n|tarea|tareas}?", "paste.do": "Crearlas", "paste.one": "En una sola línea", "pasted": "{n|tarea añadida|tareas añadidas}.",
    "places": "Lugares", "places.lists": "Listas", "places.labels": "Etiquetas", "place.search": "Buscar", "place.today": "Hoy", "place.upcoming": "Próximas", "place.inbox": "Entrada", "place.trash": "Papelera",
    "count.open": " pendientes", "count.late": ", {n} con retraso", "shared.with": "compartida con {names}", "late": "Con retraso", "overdue": "con retraso, {when}", "part.of": "parte de {title}", "children": "{done} de {all} hechas", "assigned": "para {name}",
    "fold": "Plegar: {title}", "unfold": "Desplegar: {title}", "search.all": "Buscar en todo",
    "empty.today": "Hoy no hay nada. Lo que añadas aquí es para hoy.", "empty.upcoming": "No hay nada previsto. Escribe una fecha con la tarea, como «viernes a las 9».", "empty.inbox": "La entrada está vacía. Aquí llega lo que no tiene otro lugar.",
    "empty.list": "Esta lista está vacía. Si tienes muchas líneas, pégalas de una vez.", "empty.label": "Ninguna tarea pendiente tiene esta etiqueta. Escribe # y su nombre con la tarea.",
    "list.new": "Lista nueva", "list.name": "Nombre de la lista", "list.made": "La lista «{name}» está creada.", "list.rename": "Cambiar", "list.color": "Color", "list.delete": "Borrar la lista", "list.deleted": "Lista borrada: {name}", "list.leave": "Dejar la lista", "list.left": "Has dejado {name}.",
    "share": "Compartir", "share.missing": "Ahora no se puede compartir. Inténtalo otra vez.", "more": "Más", "task.more": "Más: {title}", "choose": "Elegir varias", "choose.hint": "Elige tareas", "print": "Imprimir",
    "hue.0": "rojo", "hue.1": "ámbar", "hue.2": "oliva", "hue.3": "verde", "hue.4": "turquesa", "hue.5": "azul", "hue.6": "violeta", "hue.7": "rosa",
    "trash.hint": "Lo que se borra se queda aquí 30 días.", "trash.none": "La papelera está vacía.", "trash.empty": "Vaciar la papelera", "trash.empty.ask": "¿Borrar para siempre todo lo que hay en la papelera? No hay vuelta atrás.", "trash.more": "Más", "trash.restore": "Devolver", "trash.restore.of": "Devolver: {title}", "trash.restored": "Devuelta: {title}", "trash.deleted": "borrada {date}",
    "chips": "Lo que tiene", "chip.due": "Fecha", "chip.repeat": "Repetir", "chip.remind": "Avisar", "chip.priority": "Prioridad", "chip.labels": "Etiquetas", "chip.list": "Lista", "chip.assignee": "Para",
    "priority.none": "sin prioridad", "repeat.none": "nunca", "reminders.n": "{n|aviso|avisos}", "assignee.none": "para cualquiera", "labels.hint": "casa, recados", "part.new": "Añadir una subtarea",
    "deleted.n": "{n|tarea borrada|tareas borradas}.", "help.order": "arriba y abajo", "help.nest": "dentro y fuera de la tarea de arriba", "help.choose": "elegir varias",
    "order.here": "Las tareas se ordenan dentro de una lista.", "moved": "Movida: {title}", "moved.n": "{n|tarea movida|tareas movidas}.", "nested": "{title} es parte de {parent}.", "changed.n": "{n|tarea cambiada|tareas cambiadas}.",
    "chosen": "{n|elegida|elegidas}", "chosen.label": "Tareas elegidas", "chosen.done": "Hechas", "chosen.none": "No elegir ninguna", "date.tomorrow": "Mañana", "date.week": "En una semana", "date.none": "Sin fecha",
    "door.line": "Tus tareas, en tu propia máquina.", "door.have": "Ya tengo una cuenta",
    "met": "También se ha cambiado en otro sitio. Lo que escribiste aún no está guardado.", "met.told": "También cambiada en otro sitio: {title}", "met.show": "Mostrar",
    "met.mine": "Tu texto", "met.theirs": "El otro", "met.keep.mine": "Dejar el mío", "met.keep.theirs": "Usar el otro", "met.keep.both": "Dejar los dos",
  },
};

// The parts of the page that have their words in a file of their own.
for (const part of [dates]) {
  const { en, es } = part.default ?? part.texts ?? part;
  Object.assign(catalogue.en, en);
  Object.assign(catalogue.es, es);
}

// What the server says in English, for those who read Spanish: by code, and
// for the sentences about fields by their form. What is missing is said in the
// server's words.
const codes = {
  es: {
    invalid_credentials: "El correo o la contraseña no son correctos.", too_many_requests: "Demasiados intentos. Espera {n|segundo|segundos}.",
    server_busy: "El servidor está ocupado. Inténtalo dentro de un momento.", disk_full: "El servidor no tiene espacio en el disco. Avisa a quien lo lleva.",
    registration_closed: "El registro está cerrado. Pide una cuenta a un administrador.", email_not_verified: "La dirección aún no está confirmada. Sigue el enlace del correo que se le envió.",
    link_invalid: "El enlace no es válido, ya se usó o ha caducado. Pide uno nuevo.", last_admin: "El único administrador no se puede borrar. Nombra antes a otro.",
    internal_error: "Algo ha fallado en el servidor (petición {id}).", forbidden: "No está permitido.", password_changed: "La contraseña cambió en el mismo momento. Inténtalo otra vez.",
    task_not_found: "Esta tarea ya no existe.", user_not_found: "Este usuario ya no existe.", session_not_found: "Esta sesión ya se había cerrado.", api_token_not_found: "Este token ya no existe.",
    too_many_subscriptions: "Ya hay 10 navegadores que muestran recordatorios. Desactívalos en uno.", subscription_not_found: "Este navegador ya no los mostraba.",
    too_many_api_tokens: "Ya hay 100 tokens. Revoca uno que no haga falta.", session_required: "Entra para hacer esto.", insufficient_scope: "Este token no puede hacer esto.",
    token_missing: "La sesión ha terminado. Entra otra vez.", token_expired: "La sesión ha terminado. Entra otra vez.", token_invalid: "La sesión ha terminado. Entra otra vez.",
    refresh_token_required: "La sesión ha terminado. Entra otra vez.", refresh_token_invalid: "La sesión ha terminado. Entra otra vez.", refresh_token_revoked: "La sesión ha terminado. Entra otra vez.",
    body_too_large: "Es demasiado largo.", request_timeout: "La petición tardó demasiado en llegar. Inténtalo otra vez.", not_found: "Aquí no hay nada.",
    read_only_list: "Esta lista solo se puede leer.", list_not_found: "Esta lista ya no existe.", list_full: "La lista ya tiene todos los miembros que puede tener.",
    undo_conflict: "Se ha cambiado después, así que no se puede deshacer.", undo_expired: "Ya no se puede deshacer: ha pasado demasiado tiempo.", not_undoable: "Un cambio así no se puede deshacer.", change_not_found: "Esto ya no se puede deshacer.",
    too_many_lists: "Ya hay tantas listas como puede tener una cuenta.", too_many_tasks: "Ya hay tantas tareas como puede tener una cuenta.",
    invitation_not_found: "Esta invitación ya no vale: se usó, se retiró o ha caducado. Pide otra.",
  },
  en: {
    internal_error: "Something went wrong on the server (request {id}).",
    invitation_not_found: "This invitation is no longer good: it was used, was withdrawn or has run out. Ask for a new one.",
  },
};
const sentences = {
  es: [
    [/^The field (\w+) is required\.$/, "Rellena este campo."],
    [/at most (\d+) characters/, "Como mucho $1 caracteres."], [/at least (\d+) characters/, "Al menos $1 caracteres."],
    [/at most (\d+) bytes/, "Como mucho $1 bytes."],
    [/valid e-mail address/, "No es una dirección de correo válida."], [/already registered/, "Esta dirección ya tiene una cuenta."],
    [/do not match/, "Las dos contraseñas son distintas."], [/current password is incorrect/, "La contraseña actual no es correcta."], [/signed in more than 10 minutes ago/, "Entraste hace más de 10 minutos: escribe también tu contraseña actual."],
    [/most common/, "Es una de las contraseñas más comunes. Elige otra."], [/must not be your username/, "La contraseña no puede ser tu nombre ni tu correo."],
    [/invalid characters/, "Hay caracteres que no se pueden usar."], [/in the future/, "Tiene que ser una fecha futura."], [/must be a time/, "No es una fecha válida."],
  ],
  en: [[/^The field \w+ is required\.$/, "Please fill this in."], [/^The field \w+ must be in the future\.$/, "This must be a date in the future."], [/^The field \w+ must be a time/, "This is not a date."]],
};
// labels are what a field of the API is called on the page.
const labels = {
  username: "username", email: "email", password: "password", confirm_password: "password.again", current_password: "password.current",
  title: "task.title", description: "task.description", name: "tokens.name", scopes: "tokens.scopes", expires_at: "tokens.until",
};

export const language = locales.map((l) => l.slice(0, 2).toLowerCase()).find((l) => l in catalogue) ?? "en";
document.documentElement.lang = language;

// fill puts values into a text; {n|one|many} is a number and what it counts.
function fill(text, values) {
  return text.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (_, name, one, many) => {
    const value = String(values[name] ?? "");
    return one === undefined ? value : `${value} ${value === "1" ? one : many}`;
  });
}

// t is a text with its values filled in.
export const t = (key, values = {}) => fill(catalogue[language][key] ?? catalogue.en[key] ?? key, values);

const isAway = (error) => error.unreachable || error.code === "proxy";

// saidWaiting is said where the page tries again by itself.
export const saidWaiting = (error) => (isAway(error) ? t("offline.start") : said(error));

// said is what the server said, in the person's language where we can.
export function said(error) {
  if (typeof error === "string") return saidOf(error);
  const text = codes[language]?.[error.code];
  if (text) return fill(text, { n: error.retryAfter, id: error.requestID });
  if (isAway(error)) return t("offline.sentence");
  const fields = Object.entries(error.errors ?? {});
  return fields.length ? Object.values(saidOfFields(error.errors)).join(" ") : saidOf(error.message);
}

function saidOf(text, name) {
  for (const [form, words] of sentences[language] ?? []) {
    const found = form.exec(text);
    if (found) return words.replace("$1", found[1]);
  }
  return labels[name] ? text.replace(`The field ${name}`, `The field “${t(labels[name])}”`) : text;
}

// saidOfFields are the sentences about fields, to stand beside them.
export const saidOfFields = (errors) => Object.fromEntries(Object.entries(errors).map(([name, text]) => [name, saidOf(text, name)]));

// Dates are written as the person's whole locale does: en-GB is not en.
const made = new Map(); // formatters, which are slow to make
function written(text, time, zone = zoneOf()) {
  const key = `${time} ${zone}`;
  if (!made.has(key)) made.set(key, new Intl.DateTimeFormat(locales, { dateStyle: "medium", timeStyle: time ? "short" : undefined, timeZone: zone }));
  return made.get(key).format(new Date(text));
}
export const date = (text) => written(text, true);
export const dayOf = (text) => written(text, false);
// due is the text of a due date: a day and a local time are the same everywhere, and a
// moment is told by the reader's own clock.
export const due = ({ due, due_at }) => (due_at ? date(due_at) : due.length > 10 ? written(`${due}Z`, true, "UTC") : written(due, false, "UTC"));
// repeats says in words how often a task comes again, where that is simple.
export const repeats = (rule) => t(/^FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)$/.test(rule) ? `repeat.${rule.slice(5)}` : "repeat");
export { catalogue };
