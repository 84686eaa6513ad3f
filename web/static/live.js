// Keeps a store as the server has it while somebody looks at the page: asks for what is
// new, and then listens to the stream of what changes. Where there is none, because too
// many are open or a proxy holds it back, asks again from time to time.

import { look } from "./upgrade.js";

const often = 20_000; // milliseconds between two questions without a stream
const soon = 2_000; // before the second question to a server that does not answer
const patience = 10_000; // for the beginning of a stream
const silence = 50_000; // after which a stream is dead: the server speaks every 20 seconds

// events reads a stream of events (HTML standard, section 9.2), as this server writes it.
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let text = ""; ;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (text + value).split("\n\n");
    text = parts.pop();
    for (const part of parts) yield Object.fromEntries(part.split("\n").map((line) => line.split(/: ?(.*)/s, 2)));
  }
}

export class Live {
  #api; #store; #ask; #stop = new AbortController();

  // ask asks for all that is new.
  constructor(api, store, ask) {
    this.#api = api;
    this.#store = store;
    this.#ask = ask;
  }

  // start asks at once, and goes on.
  start() {
    this.stop();
    this.#stop = new AbortController();
    this.#follow(this.#stop.signal);
  }

  stop() { this.#stop.abort(); }

  async #follow(signal) {
    for (let wait = 0, failed = 0; ;) {
      await new Promise((resolve) => {
        setTimeout(resolve, Math.max(wait, this.#store.busyUntil - Date.now()));
        signal.addEventListener("abort", resolve, { once: true });
      });
      if (signal.aborted) return;
      try {
        await this.#ask();
        if (signal.aborted || document.hidden) return;
        failed = 0;
        wait = await this.#listen(signal);
      } catch (error) {
        this.#store.failed(error);
        wait = Math.min(often, soon * 2 ** failed++) * (0.75 + Math.random() / 2);
      }
    }
  }

  // listen hears a stream until it ends, and returns how long to wait then.
  async #listen(signal) {
    const stop = new AbortController();
    const end = () => stop.abort();
    signal.addEventListener("abort", end, { once: true });
    let timer = setTimeout(end, patience);
    let wait = often, again = often;
    try {
      for await (const { event, data, retry } of events(await this.#api.stream(`/events?${this.#store.scope}&since=${this.#store.cursor}`, stop.signal))) {
        clearTimeout(timer);
        timer = setTimeout(end, silence);
        if (retry) again = Number(retry) || often;
        if (event) wait = again;
        if (event === "changes") this.#store.take(JSON.parse(data));
        if (event === "ready") look(); // the server may be another since
        if (event === "reminder") this.#store.onReminder?.(JSON.parse(data).task);
        if (event === "resync") this.#store.restart();
      }
    } catch { /* it was ended, or there is none */ } finally {
      clearTimeout(timer);
      end();
    }
    return wait;
  }
}
