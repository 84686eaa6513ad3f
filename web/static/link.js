// The page behind the links in mails. The code stands behind the #, which the
// browser keeps to itself. Nothing happens before a person presses the button:
// programs that look at mails follow links too.

const code = location.hash.slice(1);
const reset = location.pathname.startsWith("/reset-password");
const form = document.getElementById(reset ? "reset" : "verify");
const status = document.getElementById("status");

function tell(text) {
  status.textContent = text;
  status.focus();
}

function showProblems(errors) {
  for (const name of ["password", "confirm_password"]) {
    const problem = document.getElementById(`${name}-problem`);
    problem.textContent = errors[name] ?? "";
    form.elements.namedItem(name).setAttribute("aria-invalid", String(Boolean(errors[name])));
  }
  const first = form.querySelector("[aria-invalid=true]");
  if (first) first.focus();
  return Boolean(first);
}

async function send(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return { ok: response.ok, answer: await response.json() };
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  tell("");
  try {
    const body = { token: code };
    if (reset) Object.assign(body, Object.fromEntries(new FormData(form)));
    const { ok, answer } = await send(reset ? "/auth/password/reset" : "/auth/email/verify", body);
    if (reset && showProblems(answer.errors ?? {})) return;
    tell(answer.message ?? answer.error ?? Object.values(answer.errors ?? {}).join(" "));
    form.hidden = ok;
    if (ok) history.replaceState(null, "", location.pathname);
  } catch {
    tell("The server is not answering. Check the connection and press the button again.");
  } finally {
    button.disabled = false;
  }
});

if (code) {
  form.hidden = false;
  document.title = form.querySelector("h1").textContent;
} else {
  tell("This page is opened by the link in a mail. Please open that link, or copy all of it.");
}
