// Small helpers that every script of the chat page uses.
export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

const config = JSON.parse($("#gm-config").textContent);
export const maxChars = config.maxChars;

/** A string of the interface; {name} is replaced by its value. */
export const t = (key, values = {}) =>
  (config.text[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));

/** An element; text is set as text, never as HTML. */
export function h(name, props = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (key === "class") node.className = value;
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

/** A copy of a template of the page, without its id. */
export function copyOf(id) {
  const node = document.getElementById(id).cloneNode(true);
  node.removeAttribute("id");
  return node;
}

export const app = () => $(".gm-app");
export const isNarrow = () => matchMedia("(max-width: 860px)").matches;
export const isTouch = () => matchMedia("(pointer: coarse)").matches;

/** Keep the focus in an open drawer: what lies under it can neither be reached nor read. */
export function holdFocus() {
  const isDrawer = (node) => getComputedStyle(node).position === "fixed";
  const open = [["side-open", "#gm-side"], ["panel-open", "#gm-panel"]].map(([name, id]) => app().classList.contains(name) && $(id))
    .find((node) => node && isDrawer(node));
  for (const node of $$(".gm-skip, .gm-top, #gm-main, #gm-side, #gm-panel")) node.inert = Boolean(open) && node !== open;
}

/** Say one thing to a screen reader, once; what is urgent interrupts what it is saying. */
export function announce(text, isUrgent = false) {
  const live = $(isUrgent ? "#gm-alert" : "#gm-live");
  $("#gm-live").textContent = "";
  $("#gm-alert").textContent = "";
  requestAnimationFrame(() => { live.textContent = text; });
}

let toastTimer = 0;
/** A short message at the foot of the page, perhaps with something to do about it: that stays while it has the focus, which it
    gets where "isFocused". */
export function toast(text, action = null, isFocused = false) {
  const box = $("#gm-toast");
  box.replaceChildren(h("span", {}, text));
  if (action) {
    const run = () => { box.hidden = true; action.run(); };
    box.append(h("button", { type: "button", onclick: run }, action.label));
  }
  box.hidden = false;
  announce(action ? `${text} ${t("can_undo")}` : text);
  clearTimeout(toastTimer);
  if (isFocused) $("button", box)?.focus({ preventScroll: true });
  const hide = () => {
    if (box.contains(document.activeElement)) toastTimer = setTimeout(hide, 2000);
    else box.hidden = true;
  };
  toastTimer = setTimeout(hide, action ? 8000 : 3500);
}

/** POST JSON; throws if the server does not answer well. */
export async function post(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response;
}

export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const had = document.activeElement;
    const area = h("textarea", { class: "gm-sr" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    had?.focus({ preventScroll: true });
    return done;
  }
}
