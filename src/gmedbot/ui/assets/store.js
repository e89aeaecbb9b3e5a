// Conversations, kept in this browser only. One list of names, and one entry for each conversation.
import { t, toast } from "./dom.js";

const LIST = "gm.list.v1";
const ONE = (id) => `gm.conv.v1.${id}`;
const MOST = 60;

const gone = new Set(); // deleted here: what still runs in them must not bring them back
let memory = null; // used in place of localStorage where that is forbidden

function read(key) {
  if (memory) return memory.get(key) ?? null;
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

function write(key, value) {
  if (memory) { memory.set(key, value); return; }
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch (error) {
    if (error.name !== "QuotaExceededError") { goToMemory(key, value); return; }
    const oldest = list().at(-1);
    if (!oldest || ONE(oldest.id) === key) { goToMemory(key, value); return; }
    remove(oldest.id);
    toast(t("full"));
    write(key, value);
  }
}

function goToMemory(key, value) {
  memory = new Map([[key, value]]);
  toast(t("no_storage"));
}

export const newId = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
};

/** Names of the conversations, latest first. */
export function list() {
  const found = read(LIST);
  return Array.isArray(found) ? found.filter((c) => c && typeof c.id === "string") : [];
}

/** A conversation: {id, title, turns: [{id, question, record, vote, state}]}. */
export function load(id) {
  const found = read(ONE(id));
  return found && Array.isArray(found.turns) ? found : null;
}

export function save(conversation) {
  if (!conversation.turns.length || gone.has(conversation.id)) return;
  conversation.updated = Date.now();
  write(ONE(conversation.id), conversation);
  const rest = list().filter((c) => c.id !== conversation.id);
  const { id, title, updated } = conversation;
  const names = [{ id, title, updated }, ...rest];
  for (const old of names.slice(MOST)) remove(old.id);
  write(LIST, names.slice(0, MOST));
}

export function rename(id, title) {
  const conversation = load(id);
  if (conversation) write(ONE(id), { ...conversation, title });
  write(LIST, list().map((c) => (c.id === id ? { ...c, title } : c)));
}

/** Bring back what was deleted. */
export function bringBack(conversation) {
  gone.delete(conversation.id);
  save(conversation);
}

/** Tell of conversations that another tab has changed: their id, null for the list. */
export function onOtherTab(run) {
  window.addEventListener("storage", (event) => {
    if (event.key === LIST) run(null);
    else if (event.key?.startsWith(ONE("")) && event.newValue) run(event.key.slice(ONE("").length));
  });
}

export function remove(id) {
  gone.add(id);
  write(LIST, list().filter((c) => c.id !== id));
  if (memory) memory.delete(ONE(id));
  else try { localStorage.removeItem(ONE(id)); } catch { /* nothing was kept */ }
}

export const fresh = () => ({ id: newId(), title: "", turns: [], updated: Date.now() });

/** A random name for this browser; the server keeps only its salted hash. */
export function client() {
  let name = read("gm.client");
  if (typeof name !== "string") { name = newId(); write("gm.client", name); }
  return name;
}

/** The conversation that this tab has open: a reload, also one that Gradio makes when its server is back, keeps it. */
export const opened = {
  read: () => { try { return sessionStorage.getItem("gm.open"); } catch { return null; } },
  write: (id) => { try { sessionStorage.setItem("gm.open", id); } catch { /* a reload starts anew */ } },
};

/** What was typed and not yet asked: a reload keeps it. */
export const draft = {
  read: () => { try { return sessionStorage.getItem("gm.draft") ?? ""; } catch { return ""; } },
  write: (text) => { try { sessionStorage.setItem("gm.draft", text); } catch { /* a reload starts anew */ } },
};

export const options = {
  read: () => read("gm.options") ?? {},
  write: (value) => write("gm.options", value),
};
