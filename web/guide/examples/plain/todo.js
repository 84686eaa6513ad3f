// A to-do list without a framework or a build. The client comes from the server.

const server = "http://localhost:8000";
const { Taskapi, TaskapiError } = await import(`${server}/client.js`);

const find = (selector) => document.querySelector(selector);
const api = new Taskapi(server, { retries: 2, onSignedOut: (error) => show(error && "Please sign in again.") });

// attempt does something for the person, and says what went wrong.
async function attempt(button, act) {
  const was = api.signedIn;
  find("#error").textContent = "";
  button.disabled = true;
  try {
    await act();
  } catch (error) {
    if (!(error instanceof TaskapiError)) throw error;
    if (api.signedIn === was) find("#error").textContent = error.message; // else the session is over
  } finally {
    button.disabled = false;
  }
}

function row(task) {
  const item = document.createElement("li");
  const label = document.createElement("label");
  const tick = document.createElement("input");
  tick.type = "checkbox";
  tick.addEventListener("change", () => attempt(tick, async () => {
    try {
      await api.updateTask(task.id, { completed: true });
    } finally {
      await list();
    }
  }));
  const title = document.createElement("span");
  title.textContent = task.title; // never innerHTML: a title is what somebody typed
  label.append(tick, " ", title);
  const remove = document.createElement("button");
  remove.textContent = "Delete";
  remove.setAttribute("aria-label", `Delete ${task.title}`);
  remove.addEventListener("click", () => attempt(remove, async () => {
    await api.deleteTask(task.id);
    await list();
  }));
  item.append(label, remove);
  return item;
}

async function list() {
  const { tasks } = await api.listTasks({ completed: false, sort: "-id", per_page: 50 });
  find("ul").replaceChildren(...tasks.map(row));
}

function show(note = "") {
  find("#signin").hidden = api.signedIn;
  find("#tasks").hidden = !api.signedIn;
  find("#error").textContent = note;
  if (!api.signedIn) find("ul").replaceChildren();
}

find("#signin").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  attempt(form.querySelector("button"), async () => {
    await api.signIn(form.elements.email.value, form.elements.password.value);
    form.reset();
    show();
    await list();
  });
});

find("#add").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  attempt(form.querySelector("button"), async () => {
    const title = form.elements.title.value;
    await api.createTask({ title });
    if (form.elements.title.value === title) form.reset(); // the next one may be half typed already
    await list();
  });
});

find("#signout").addEventListener("click", (event) => attempt(event.target, () => api.signOut()));

show();
if (api.signedIn) attempt(find("#add button"), list);
