// The words of what is loaded when somebody opens it: the account, the trash,
// an invitation, and what opens at a task.

import { language, learn } from "./i18n.js";

learn((await (language === "es" ? import("./parts-es.js") : import("./parts-en.js"))).texts);
