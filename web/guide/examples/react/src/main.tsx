import { StrictMode, useCallback, useEffect, useState, type FormEvent } from "react";
import { createRoot } from "react-dom/client";
import { Taskapi, TaskapiError, type Task } from "./client";

const server: string = import.meta.env.VITE_TASKAPI ?? "http://localhost:8000";

// What is to be done when the session is over; the page that is shown says it.
let whenOver: (error?: TaskapiError) => void = () => {};
const api = new Taskapi(server, { retries: 2, onSignedOut: (error) => whenOver(error) });

/** A form or a list while it waits for the server, and what went wrong. */
function useAttempt() {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const attempt = useCallback(async (act: () => Promise<unknown>) => {
    setBusy(true);
    setProblem("");
    try {
      await act();
    } catch (error) {
      if (!(error instanceof TaskapiError)) throw error;
      setProblem(error.message);
    } finally {
      setBusy(false);
    }
  }, []);
  return { busy, problem, attempt };
}

function SignIn({ note, onDone }: { note: string; onDone: () => void }) {
  const { busy, problem, attempt } = useAttempt();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const typed = new FormData(event.currentTarget);
    void attempt(async () => {
      await api.signIn(String(typed.get("email")), String(typed.get("password")));
      onDone();
    });
  };
  return (
    <form onSubmit={submit}>
      <p role="alert">{problem || note}</p>
      <p><label>E-mail <input name="email" type="email" autoComplete="username" required /></label></p>
      <p><label>Password <input name="password" type="password" autoComplete="current-password" required /></label></p>
      <button disabled={busy}>Sign in</button>
    </form>
  );
}

function Tasks() {
  const { busy, problem, attempt } = useAttempt();
  const [tasks, setTasks] = useState<Task[]>();
  const [title, setTitle] = useState("");
  const [today, setToday] = useState(false);

  const load = useCallback(async () => {
    const page = await api.listTasks({ completed: false, view: today ? "today" : undefined, sort: "-id", per_page: 50 });
    setTasks(page.tasks);
  }, [today]);
  useEffect(() => { void attempt(load); }, [attempt, load]);

  const add = (event: FormEvent) => {
    event.preventDefault();
    void attempt(async () => {
      await api.createTask({ title });
      setTitle((typed) => typed === title ? "" : typed); // the next one may be half typed already
      await load();
    });
  };
  const tick = (task: Task) => attempt(async () => {
    await api.updateTask(task.id, { completed: true });
    await load();
  });
  const remove = (task: Task) => attempt(async () => {
    await api.deleteTask(task.id);
    await load();
  });

  return (
    <main>
      <p role="alert">{problem}</p>
      <form onSubmit={add}>
        <label>New task <input value={title} onChange={(event) => setTitle(event.target.value)} /></label>{" "}
        <button disabled={busy}>{busy ? "One moment…" : "Add"}</button>
      </form>
      <label><input type="checkbox" checked={today} onChange={() => setToday(!today)} /> Due today</label>
      <ul aria-busy={busy} aria-label="Tasks">
        {tasks?.map((task) => (
          <li key={task.id}>
            <label><input type="checkbox" checked={false} disabled={busy} onChange={() => tick(task)} /> {task.title}</label>
            <button aria-label={`Delete ${task.title}`} disabled={busy} onClick={() => remove(task)}>Delete</button>
          </li>
        ))}
      </ul>
      {tasks?.length === 0 && <p>Nothing to do.</p>}
      <button onClick={() => attempt(() => api.signOut())}>Sign out</button>
    </main>
  );
}

function App() {
  const [signedIn, setSignedIn] = useState(api.signedIn);
  const [note, setNote] = useState("");
  useEffect(() => {
    whenOver = (error) => {
      setNote(error ? "Please sign in again." : "");
      setSignedIn(false);
    };
  }, []);
  return (
    <>
      <h1>To-do</h1>
      {signedIn ? <Tasks /> : <SignIn note={note} onDone={() => setSignedIn(true)} />}
    </>
  );
}

createRoot(document.getElementById("root")!).render(<StrictMode><App /></StrictMode>);
