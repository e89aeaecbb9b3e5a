// The chat: asks through Gradio's bridge, shows answers as they come, keeps them in the browser.
import { $, $$, announce, app, copyOf, h, isTouch, maxChars, post, t, toast } from "./dom.js";
import * as store from "./store.js";
import * as side from "./side.js";
import * as panel from "./panel.js";
import * as actions from "./actions.js";

let conversation = store.fresh();
let running = null; // {turn, node, shown, seen, former}
const dropped = new Set(); // turns that were taken out here: another tab's copy must not bring them back
const RENDERED = 50; // answers that the server draws again at once
const drawn = new Map(); // turn id → what the server sent to show it: {record, sources, copy, count}

// ── asking ────────────────────────────────────────────────────────────────────────────────────────────────────
function problem(text) {
  $("#gm-problem").textContent = text;
  $("#gm-question").setAttribute("aria-invalid", String(Boolean(text)));
}

function ask(question, from = conversation.turns.length) {
  if (running) { problem(t("busy")); return false; }
  const text = question.trim();
  if (!text) { problem(t("empty")); return false; }
  if (question.length > maxChars) {
    problem(t("long", { found: question.length.toLocaleString("en"), most: maxChars.toLocaleString("en") }));
    return false;
  }
  problem("");
  const former = putAside(from);
  const turn = { id: store.newId(), question: text, record: null, vote: null, state: "open" };
  const history = conversation.turns.map((x) => x.question);
  conversation.turns.push(turn);
  conversation.title ||= text.slice(0, 80);
  const node = addTurn(turn);
  begin(turn, node, former);
  if (!former.length) persist(); // what is replaced stays in the browser until something takes its place
  fitLast();
  node.scrollIntoView({ block: "start" });
  bridge().ask({ turn: turn.id, question: text, history, options: chosenOptions() });
  return true;
}

/** Take the turns from a place on out of the page; where they hold an answer they are kept until the new one arrives. */
function putAside(from) {
  const aside = conversation.turns.splice(from).map((turn) => ({ turn, node: $(`.gm-turn[data-turn="${turn.id}"]`) }));
  for (const { node } of aside) node?.remove();
  if (aside.some(({ turn }) => turn.record)) return aside;
  for (const { turn } of aside) dropped.add(turn.id);
  return [];
}

function begin(turn, node, former) {
  running = { turn, node, former, shown: [], seen: Date.now() };
  panel.showWaiting(turn.id);
  app().classList.remove("is-empty");
  $(".gm-wait", node).hidden = false;
  $(".gm-a", node).setAttribute("aria-busy", "true");
  $("#gm-send").hidden = true;
  $("#gm-stop").hidden = false;
  running.watch = setInterval(checkServer, 700);
}

function receive(value) {
  if (!running || !value) return;
  const message = JSON.parse(value);
  if (message.turn !== running.turn.id) return;
  running.seen = Date.now();
  const { turn, node } = running;
  if ((message.error || message.failed) && running.former.length) { failAndPutBack(message.error ?? t("failed_kept")); return; }
  if (message.error) { end("failed"); trouble(node, message.error, true); return; }
  const keep = message.keep ?? 0; // if a piece was lost, the last message brings everything
  if (message.blocks && keep <= running.shown.length) patch(node, running.shown, [...running.shown.slice(0, keep), ...message.blocks]);
  if (!message.done) return;
  if (message.failed) {
    end("failed");
    $(".gm-actions", node).hidden = true;
    trouble(node, "", false, true);
    announce([...$$(".gm-blocks :is(h3, p)", node)].map((x) => x.textContent).join(". "));
    return;
  }
  turn.record = message.record;
  drawn.set(turn.id, message);
  end("done");
  complete(turn, node, message);
  panel.showList(turn.id);
  announce(message.say, message.urgent);
  if (conversation.turns.some(({ id }) => !$(`.gm-turn[data-turn="${id}"]`))) openConversation(conversation.id); // another tab's
}

function end(state) {
  clearInterval(running.watch);
  problem("");
  for (const { turn } of running.former) dropped.add(turn.id);
  running.turn.state = state;
  $(".gm-wait", running.node).hidden = true;
  $(".gm-a", running.node).setAttribute("aria-busy", "false");
  running = null;
  const hadFocus = document.activeElement === $("#gm-stop");
  $("#gm-send").hidden = false;
  $("#gm-stop").hidden = true;
  if (!isTouch() && (hadFocus || document.activeElement === document.body)) $("#gm-question").focus();
  persist();
}

/** Replace only the blocks that changed, so that what is read or focused stays where it is. */
function patch(node, shown, blocks) {
  const box = $(".gm-blocks", node);
  if (blocks.length) $(".gm-wait", node).hidden = true;
  blocks.forEach((html, n) => {
    if (shown[n] === html) return;
    const old = box.children[n];
    const block = h("div", { class: old ? "" : "gm-block" });
    block.innerHTML = html;
    if (old) old.replaceWith(block);
    else box.append(block);
    shown[n] = html;
  });
  while (box.children.length > blocks.length) { box.lastElementChild.remove(); shown.pop(); }
}

function complete(turn, node, message) {
  $(".gm-actions", node).hidden = false;
  $(".gm-srcbtn", node).hidden = !message.count;
  $(".gm-srcbtn span", node).textContent = `${message.count} ${message.count === 1 ? "source" : "sources"}`;
  actions.showVote(node, turn.vote);
}

/** A line under the answer: why it is not whole, and what to do. */
function trouble(node, text, isBad, onlyRetry = false, isNew = true) {
  const box = $(".gm-trouble", node);
  box.classList.toggle("is-bad", isBad);
  const retry = h("button", { type: "button", class: "gm-small", "data-act": "retry" }, t("retry"));
  box.replaceChildren(...(onlyRetry ? [] : [h("span", {}, text)]), retry);
  box.hidden = false;
  if (!isNew) return;
  box.scrollIntoView({ block: "nearest" });
  if (text) announce(text);
}

function stop() {
  if (!running) return;
  const { turn, node, shown } = running;
  post("/api/ui/stop", { turn: turn.id }).catch(() => { /* it ends by itself */ });
  if (running.former.length) { failAndPutBack(t("stopped_kept")); return; }
  end("stopped");
  panel.showPart(turn.id);
  trouble(node, t(shown.length ? "stopped" : "stopped_early"), false);
}

function lost(text = t("lost")) {
  if (!running) return;
  const { node, turn, former } = running;
  bridge().free();
  if (former.length) { failAndPutBack(t("lost_kept")); return; }
  end("lost");
  panel.showPart(turn.id);
  trouble(node, text, true);
}

/** Nothing came in the place of earlier turns: they come back. */
function failAndPutBack(text) {
  const { turn, node, former } = running;
  running.former = [];
  node.remove();
  conversation.turns.splice(conversation.turns.indexOf(turn), 1, ...former.map((one) => one.turn));
  $("#gm-turns").append(...former.map((one) => one.node).filter(Boolean));
  end("lost");
  const last = former.at(-1);
  if (drawn.has(last.turn.id)) panel.showList(last.turn.id);
  else panel.showPart(last.turn.id);
  trouble(former[0].node, text, true);
}

/** An answer that is late: is the server still there? */
async function checkServer() {
  if (!running || Date.now() - running.seen < 1500 || running.isChecking) return;
  const mine = running;
  mine.isChecking = true;
  try {
    await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(6000) });
  } catch {
    if (running === mine) lost();
  }
  mine.isChecking = false;
}

// ── drawing turns ─────────────────────────────────────────────────────────────────────────────────────────────
function addTurn(turn) {
  const node = copyOf("gm-t-turn");
  node.dataset.turn = turn.id;
  $(".gm-qtext", node).textContent = turn.question;
  const heading = $(".gm-a > h2", node);
  heading.textContent = heading.dataset.words.replace("{question}", () => turn.question.slice(0, 120));
  $(".gm-wait", node).hidden = true;
  $("#gm-turns").append(node);
  return node;
}

/** Room below the last question, so that it can stand at the top and nothing moves while the answer grows. */
function fitLast() {
  $("#gm-turns").style.setProperty("--gm-fill", `${Math.max(0, $("#gm-thread").clientHeight)}px`);
}

function persist() {
  takeOver();
  conversation.title = store.list().find((one) => one.id === conversation.id)?.title || conversation.title; // it may have been renamed
  store.save(conversation);
  store.opened.write(conversation.id);
  side.draw();
}

/** What another tab has added to this conversation stays in it. */
function takeOver() {
  const known = new Set(conversation.turns.map((turn) => turn.id));
  const aside = new Set((running?.former ?? []).map((one) => one.turn.id));
  const added = (store.load(conversation.id)?.turns ?? []).filter(({ id }) => !known.has(id) && !dropped.has(id) && !aside.has(id));
  conversation.turns.splice(conversation.turns.length - (running ? 1 : 0), 0, ...added);
}

/** Another tab has changed a conversation: show it as it is now, but never under an answer that is arriving. */
function onOtherTab(id) {
  if (id === conversation.id && !running) openConversation(id);
  else side.draw();
}

/** The answers drawn again, some at a time: a long conversation is more than one request may hold. */
async function drawAgain(turns) {
  const shown = [];
  for (let at = 0; at < turns.length; at += RENDERED) {
    const records = turns.slice(at, at + RENDERED).map((turn) => turn.record);
    shown.push(...(await (await post("/api/ui/render", { records })).json()));
  }
  return shown;
}

async function openConversation(id) {
  if (running) stop();
  conversation = (id && store.load(id)) || store.fresh();
  store.opened.write(conversation.id);
  drawn.clear();
  problem("");
  $("#gm-turns").replaceChildren();
  app().classList.toggle("is-empty", !conversation.turns.length);
  panel.close();
  side.draw();
  $("#gm-thread").scrollTop = 0;
  if (!conversation.turns.length) { if (!isTouch()) $("#gm-question").focus(); return; }
  const mine = conversation;
  const nodes = mine.turns.map(addTurn);
  let shown = mine.turns.map(() => null);
  try {
    shown = await drawAgain(mine.turns);
  } catch { toast(t("offline")); }
  if (mine !== conversation) return;
  mine.turns.forEach((turn, n) => restore(turn, nodes[n], shown[n]));
  const last = mine.turns.findLast((turn) => drawn.has(turn.id));
  if (last) panel.showList(last.id);
  fitLast();
  nodes.at(-1).scrollIntoView({ block: "start" });
  if (document.activeElement === document.body) $("#gm-thread").focus({ preventScroll: true });
  announce(t("opened", { title: mine.title }));
}

function restore(turn, node, message) {
  if (!message) {
    const text = { stopped: t("stopped_gone"), lost: t("lost"), open: t("lost"), failed: t("failed_gone") }[turn.state];
    trouble(node, text ?? $("#gm-turns").dataset.old, false, false, false);
    return;
  }
  drawn.set(turn.id, { ...message, record: turn.record });
  patch(node, [], message.blocks);
  complete(turn, node, message);
}

// ── buttons of a turn ─────────────────────────────────────────────────────────────────────────────────────────
function onTurnClick(event) {
  const next = event.target.closest("[data-ask]");
  if (next) { ask(next.dataset.ask); return; }
  const node = event.target.closest(".gm-turn");
  const button = event.target.closest("button");
  if (!node || !button) return;
  if (button.dataset.conflict !== undefined) { showConflict(node, button.dataset.conflict); return; }
  const turn = conversation.turns.find((x) => x.id === node.dataset.turn);
  const found = drawn.get(turn?.id);
  if (!turn) return;
  const run = {
    copy: () => found && actions.copyAnswer(found),
    retry: () => again(turn),
    edit: () => edit(turn, node),
    up: () => actions.vote(node, turn, "up", persist),
    down: () => actions.vote(node, turn, "down", persist),
    link: () => actions.copyLink(turn.record?.standalone_question || turn.question),
    export: () => actions.exportMenu(button, conversation),
    sources: () => panel.showList(turn.id, true, button),
  }[button.dataset.act];
  run?.();
}

/** Ask a question again in its place; what came after it goes, and can be brought back. */
function again(turn, question = turn.question) {
  const place = conversation.turns.indexOf(turn);
  const kept = place < conversation.turns.length - 1 ? structuredClone(conversation) : null;
  if (!ask(question, place) || !kept) return;
  toast(t("later_gone"), { label: t("undo"), run: () => {
    if (running) stop();
    for (const old of kept.turns) dropped.delete(old.id);
    for (const now of conversation.turns) if (!kept.turns.some((old) => old.id === now.id)) dropped.add(now.id);
    store.save(kept);
    openConversation(kept.id);
  } });
}

function showConflict(node, at) {
  const card = $(`.gm-conflict[data-at="${at}"]`, node);
  if (!card) return;
  card.scrollIntoView({ block: "nearest" });
  card.focus({ preventScroll: true });
  card.classList.remove("is-flash");
  requestAnimationFrame(() => card.classList.add("is-flash"));
}

function edit(turn, node) {
  if (running) return;
  const box = $(".gm-q", node);
  const kept = [...box.childNodes];
  const area = h("textarea", { rows: 3, "aria-label": t("edit_label"), maxlength: maxChars });
  area.value = turn.question;
  const back = () => { box.replaceChildren(...kept); $("[data-act=edit]", box).focus({ focusVisible: true }); };
  const save = () => {
    if (!area.value.trim()) return;
    box.replaceChildren(...kept);
    again(turn, area.value);
  };
  area.addEventListener("keydown", (event) => {
    if (event.key === "Escape") back();
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); save(); }
  });
  box.replaceChildren(h("div", { class: "gm-editbox" }, area, h("div", {},
    h("button", { type: "button", class: "gm-small", onclick: back }, t("cancel")),
    h("button", { type: "button", class: "gm-small is-main", onclick: save }, t("save")))));
  area.focus();
  area.setSelectionRange(area.value.length, area.value.length);
}

// ── answer settings ───────────────────────────────────────────────────────────────────────────────────────────
function chosenOptions() {
  const values = (name) => $$(`#gm-settings input[name=${name}]:checked`).map((x) => x.value);
  return { topics: values("topics"), length: values("length")[0], wording: values("wording")[0], evidence: values("evidence")[0] };
}

function showChosen() {
  const labels = $$("#gm-settings input:checked").filter((x) => !["full", "plain", "all"].includes(x.value))
    .map((x) => x.nextElementSibling.textContent);
  $("#gm-chosen").textContent = labels.length ? labels.join(" · ") : t("settings_all");
  $("#gm-chosen").classList.toggle("gm-wide", labels.length === 0);
  $("#gm-tune").classList.toggle("is-on", labels.length > 0);
}

function setUpSettings() {
  const kept = store.options.read();
  for (const input of $$("#gm-settings input")) {
    const value = kept[input.name];
    if (value !== undefined) input.checked = Array.isArray(value) ? value.includes(input.value) : value === input.value;
  }
  showChosen();
  $("#gm-settings").addEventListener("change", () => { store.options.write(chosenOptions()); showChosen(); });
  const toggle = (isOpen) => {
    $("#gm-settings").hidden = !isOpen;
    $("#gm-tune").setAttribute("aria-expanded", String(isOpen));
  };
  $("#gm-tune").addEventListener("click", (event) => {
    toggle($("#gm-settings").hidden);
    if (!event.detail && !$("#gm-settings").hidden) $("#gm-settings input").focus(); // by key: they stand above their button
  });
  $("#gm-form").addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !$("#gm-settings").hidden) { toggle(false); $("#gm-tune").focus(); }
  });
  // after what was pressed has had its click: closing moves the thread
  $("#gm-thread").addEventListener("click", () => toggle(false));
}

// ── start ─────────────────────────────────────────────────────────────────────────────────────────────────────
const bridge = () => window.gmBridge;

function setUpComposer() {
  const box = $("#gm-question");
  $("#gm-form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (!ask(box.value)) return;
    store.draft.write("");
    box.value = ""; // a box of two lines shrinks now: the room below and the place of the question follow it
    box.style.height = "";
    fitLast();
    $("#gm-turns").lastElementChild.scrollIntoView({ block: "start" });
  });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    $("#gm-form").requestSubmit();
  });
  box.addEventListener("input", () => {
    if (box.value.length <= maxChars) problem("");
    store.draft.write(box.value);
    if (CSS.supports("field-sizing", "content")) return;
    box.style.height = "";
    box.style.height = `${box.scrollHeight}px`;
  });
  $("#gm-stop").addEventListener("click", stop);
  box.value = store.draft.read();
}

async function setUpStart() {
  try {
    const response = await fetch("/api/ui/start");
    if (response.ok) $("#gm-empty").innerHTML = await response.text();
    else location.reload();
  } catch { toast(t("offline")); }
}

function start() {
  if (app().dataset.ready) return;
  app().dataset.ready = "true";
  bridge().receive = receive;
  bridge().failed = () => setTimeout(() => lost(), 0);
  panel.setUp((id) => drawn.get(id));
  side.setUp(() => conversation.id, openConversation);
  store.onOtherTab(onOtherTab);
  setUpSettings();
  setUpComposer();
  $("#gm-thread").addEventListener("click", onTurnClick);
  new ResizeObserver(fitLast).observe($("#gm-thread"));
  window.addEventListener("gm-theme", (event) => toast(t(`theme.${event.detail}`)));
  window.addEventListener("beforeprint", () => actions.beforePrint(conversation));
  window.addEventListener("afterprint", actions.afterPrint);
  window.addEventListener("pagehide", () => { if (running && !running.former.length) { running.turn.state = "lost"; store.save(conversation); } });
  const query = new URLSearchParams(location.search);
  const question = query.get("q");
  app().classList.add("is-empty");
  setUpStart();
  if (question) {
    query.delete("q");
    history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
    ask(question);
    return;
  }
  const open = store.opened.read();
  if (open && store.load(open)) openConversation(open);
  else if (!isTouch()) $("#gm-question").focus();
}

function whenReady() {
  if (window.gmBridge && $(".gm-app")) start();
}
window.addEventListener("gm-bridge", whenReady);
window.addEventListener("gm-shell", whenReady);
whenReady();
