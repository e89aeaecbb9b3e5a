// The list of conversations: open, rename, delete with undo, delete all.
import { $, app, copyOf, h, holdFocus, t, toast } from "./dom.js";
import * as store from "./store.js";

let current = () => null;
let openOne = () => {};

export function setUp(getCurrent, open) {
  current = getCurrent;
  openOne = open;
  $("#gm-new").addEventListener("click", () => { openOne(null); closeDrawer(); });
  $("#gm-side-close").addEventListener("click", () => { closeDrawer(); $(".gm-menu").focus(); });
  $(".gm-menu").addEventListener("click", openDrawer);
  $("#gm-clear").addEventListener("click", clearAll);
  $("#gm-side").addEventListener("keydown", (e) => { if (e.key === "Escape") { closeDrawer(); $(".gm-menu").focus(); } });
  draw();
}

function openDrawer() {
  app().classList.add("side-open");
  $("#gm-scrim").hidden = false;
  $(".gm-menu").setAttribute("aria-expanded", "true");
  holdFocus();
  requestAnimationFrame(() => requestAnimationFrame(() => $("#gm-new").focus()));
}

export function closeDrawer() {
  app().classList.remove("side-open");
  $(".gm-menu").setAttribute("aria-expanded", "false");
  if (!app().classList.contains("panel-open")) $("#gm-scrim").hidden = true;
  holdFocus();
}

function clearAll() {
  if (!store.list().length || !window.confirm(t("clear_sure"))) return;
  for (const { id } of store.list()) store.remove(id);
  openOne(null);
}

export function draw() {
  const groups = new Map([["today", []], ["earlier", []], ["older", []]]);
  const day = 86400000;
  const midnight = new Date().setHours(0, 0, 0, 0);
  for (const one of store.list()) {
    const key = one.updated >= midnight ? "today" : one.updated >= midnight - 7 * day ? "earlier" : "older";
    groups.get(key).push(one);
  }
  const rows = [];
  for (const [key, found] of groups) {
    if (found.length) rows.push(h("h2", {}, t(key)), ...found.map(row));
  }
  $("#gm-list").replaceChildren(...rows);
}

function row(one) {
  const node = $(".gm-conv", copyOf("gm-t-conv"));
  const isOn = one.id === current();
  node.dataset.id = one.id;
  node.classList.toggle("is-on", isOn);
  const title = one.title || t("new_title");
  const open = $(".gm-open", node);
  open.textContent = title;
  open.title = title;
  if (isOn) open.setAttribute("aria-current", "true");
  open.addEventListener("click", () => { openOne(one.id); closeDrawer(); });
  for (const [act, run] of [["rename", () => startRename(node, one)], ["delete", (event) => deleteOne(one, !event.detail)]]) {
    const button = $(`[data-act=${act}]`, node);
    button.setAttribute("aria-label", `${t(act)}: ${title}`);
    button.addEventListener("click", run);
  }
  return node;
}

function startRename(node, one) {
  const input = h("input", { type: "text", maxlength: 120, "aria-label": t("name") });
  input.value = one.title;
  let isDone = false;
  const end = (keep) => {
    if (isDone) return;
    isDone = true;
    if (keep && input.value.trim()) store.rename(one.id, input.value.trim());
    draw();
    $(`.gm-conv[data-id="${one.id}"] .gm-open`)?.focus();
  };
  input.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter") { event.preventDefault(); end(true); } // or it presses the button that gets the focus
    if (event.key === "Escape") end(false);
  });
  input.addEventListener("blur", () => end(true));
  node.replaceChildren(input);
  input.select();
}

/** Delete a conversation; who did it by keyboard is offered to undo it where the focus is. */
function deleteOne(one, isByKey) {
  const kept = store.load(one.id);
  store.remove(one.id);
  if (one.id === current()) openOne(null);
  else draw();
  if (app().classList.contains("side-open")) $("#gm-new").focus();
  else { closeDrawer(); (getComputedStyle($(".gm-menu")).display === "none" ? $("#gm-new") : $(".gm-menu")).focus(); }
  toast(t("deleted"), { label: t("undo"), run: () => { if (kept) { store.bringBack(kept); draw(); } $("#gm-new").focus(); } }, isByKey);
}
