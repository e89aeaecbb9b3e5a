// The source panel, the citations that open it, and the quote shown on hover or focus.
import { $, $$, app, h, holdFocus, isNarrow, t, copyText, toast } from "./dom.js";

let turns = () => null; // finds a turn's record and its sources by the turn's id
let at = null; // {turn, n, back}: what is open, and where focus returns to
let latest = 0;
const cache = new Map();

export function setUp(findTurn) {
  turns = findTurn;
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  for (const [name, show] of [["pointerover", true], ["pointerout", false], ["focusin", true], ["focusout", false]]) {
    document.addEventListener(name, (event) => onHover(event, show));
  }
  document.addEventListener("toggle", (event) => {
    if (event.target.matches?.(".gm-later")) showList(event.target.closest(".gm-turn").dataset.turn);
  }, true);
  $("#gm-thread").addEventListener("scroll", hideTip, { passive: true });
  $("#gm-scrim").addEventListener("click", close);
  window.addEventListener("popstate", () => { if (app().classList.contains("panel-open")) hide(); });
  const tip = $("#gm-tip");
  tip.addEventListener("pointerenter", () => clearTimeout(tipTimer)); // a quote may be pointed at and its words selected
  tip.addEventListener("pointerleave", hideTip);
  window.addEventListener("resize", holdFocus); // a wide page has columns, not drawers
}

function onClick(event) {
  const cite = event.target.closest(".gm-cite");
  if (cite?.dataset.more !== undefined) {
    const rest = cite.nextElementSibling;
    rest.hidden = false;
    cite.setAttribute("aria-expanded", "true");
    rest.firstElementChild.focus();
    return;
  }
  if (cite) {
    const turn = cite.closest(".gm-turn");
    if (turn) open(turn.dataset.turn, Number(cite.dataset.n), cite);
    return;
  }
  const dispute = event.target.closest("a[data-finding]");
  if (dispute && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    const turn = dispute.closest(".gm-turn");
    if (turn) { event.preventDefault(); showDispute(turn.dataset.turn, dispute); }
    return;
  }
  const card = event.target.closest("[data-open]");
  if (card && at) { open(at.turn, Number(card.dataset.open), null); return; }
  if (event.target.closest("[data-copy-quote]")) {
    const citation = current();
    if (citation) copyText(citation.quote).then((done) => toast(t(done ? "copied" : "copy_failed")));
    return;
  }
  const id = event.target.closest("button")?.id;
  if (id === "gm-panel-close") close();
  else if (id === "gm-panel-all") showList(at.turn, true);
  else if (id === "gm-panel-prev") step(-1);
  else if (id === "gm-panel-next") step(1);
}

function onKey(event) {
  if (event.key !== "Escape") return;
  if (!$("#gm-tip").hidden) { hideTip(); if (!app().classList.contains("panel-open")) return; }
  if ($("#gm-panel").contains(document.activeElement) || app().classList.contains("panel-open")) close();
  else if (at?.back && document.activeElement === document.body) close(); // a screen reader read on from the panel
}

const citations = () => turns(at?.turn)?.record?.citations ?? [];
const current = () => citations().find((c) => c.n === at?.n);

function step(by) {
  const all = citations();
  const here = all.findIndex((c) => c.n === at.n);
  const next = all[(here + by + all.length) % all.length];
  if (next) open(at.turn, next.n, null);
}

/** Open a citation's passage, with the quoted sentence in view and in focus. */
export async function open(turn, n, chip) {
  hideTip();
  at = { turn, n, back: chip ?? at?.back ?? null };
  const known = current();
  const seen = chip ?? $(`.gm-turn[data-turn="${turn}"] .gm-cite[data-n="${n}"]`);
  const citation = known ?? (seen && { quote: seen.dataset.quote, title: seen.dataset.source }); // of an answer that was stopped
  if (!citation) return;
  $$(".gm-cite.is-on").forEach((c) => c.classList.remove("is-on"));
  $$(`.gm-turn[data-turn="${turn}"] .gm-cite[data-n="${n}"]`).forEach((c) => c.classList.add("is-on"));
  const ticket = ++latest;
  const html = known ? await fetchPassage(citation) : quoteOnly(citation);
  if (ticket !== latest) return;
  const body = $("#gm-panel-body");
  body.innerHTML = html;
  body.scrollTop = 0;
  const position = citations().indexOf(citation) + 1;
  const panel = $("#gm-panel");
  $("#gm-panel-title").textContent = !known ? panel.dataset.all
    : panel.dataset.position.replace("{n}", position).replace("{total}", citations().length);
  panel.classList.toggle("is-open", Boolean(known));
  $("#gm-panel-all").hidden = !known;
  reveal();
  requestAnimationFrame(() => requestAnimationFrame(() => {
    const mark = $("#gm-mark") ?? $("#gm-panel-title");
    mark.scrollIntoView({ block: "nearest" });
    mark.focus({ preventScroll: true });
  }));
}

/** Who says what about a statement that sources dispute; without the server its own page is tried. */
async function showDispute(turn, link) {
  hideTip();
  const ticket = ++latest;
  const html = await fetch(`/api/ui/finding?${new URLSearchParams({ id: link.dataset.finding })}`)
    .then((response) => response.text()).catch(() => "");
  if (ticket !== latest) return;
  if (!html) { location.assign(link.href); return; }
  at = { turn, n: null, back: link };
  $$(".gm-cite.is-on").forEach((c) => c.classList.remove("is-on"));
  $("#gm-panel-body").innerHTML = html;
  $("#gm-panel-body").scrollTop = 0;
  const title = $("#gm-panel-title");
  title.textContent = $("#gm-panel").dataset.dispute;
  $("#gm-panel").classList.remove("is-open");
  $("#gm-panel-all").hidden = false;
  reveal();
  requestAnimationFrame(() => requestAnimationFrame(() => title.focus({ preventScroll: true })));
}

async function fetchPassage(citation) {
  const { passage_id: id, start, end } = citation;
  const key = `${id}:${start}:${end}`;
  if (cache.has(key)) return cache.get(key);
  try {
    const query = new URLSearchParams({ id, start, end });
    const response = await fetch(`/api/ui/passage?${query}`);
    const html = await response.text();
    if (response.ok) { cache.set(key, html); return html; }
    return quoteOnly(citation) + html;
  } catch {
    toast(t("passage_failed"));
    return quoteOnly(citation);
  }
}

function quoteOnly(citation) {
  const box = document.createElement("div");
  const quote = document.createElement("blockquote");
  quote.textContent = citation.quote;
  const title = document.createElement("h3");
  title.textContent = citation.title;
  box.append(title, quote);
  return box.innerHTML;
}

/** The list of an answer's sources. */
export function showList(turn, isAsked = false, button = null) {
  const found = turns(turn);
  if (!found) return;
  const isFolded = !isAsked && $(`.gm-turn[data-turn="${turn}"] .gm-later:not([open])`);
  latest += 1;
  at = { turn, n: null, back: button ?? at?.back ?? null };
  const panel = $("#gm-panel");
  const sources = isFolded ? "" : found.sources; // what is folded away under an emergency does not stand beside it
  $("#gm-panel-body").innerHTML = sources || "";
  $("#gm-panel-body").scrollTop = 0;
  if (!sources) $("#gm-panel-body").append(isFolded ? panel.dataset.folded : panel.dataset.empty);
  showAll();
  if (isAsked) { reveal(); requestAnimationFrame(() => requestAnimationFrame(() => $("#gm-panel-title").focus({ preventScroll: true }))); }
}

function showAll() {
  const panel = $("#gm-panel");
  $("#gm-panel-title").textContent = panel.dataset.all;
  panel.classList.remove("is-open");
  $("#gm-panel-all").hidden = true;
  $$(".gm-cite.is-on").forEach((c) => c.classList.remove("is-on"));
}

/** An answer is awaited: the sources of another must not stand beside it. */
export function showWaiting(turn) {
  latest += 1;
  at = { turn, n: null, back: null };
  $("#gm-panel-body").replaceChildren(t("searching"));
  showAll();
}

/** The sources of an answer that did not arrive whole: what its citations carry. */
export function showPart(turn) {
  const chips = new Map($$(`.gm-turn[data-turn="${turn}"] .gm-cite[data-quote]`).map((chip) => [chip.dataset.n, chip]));
  latest += 1;
  at = { turn, n: null, back: null };
  const cards = [...chips].map(([n, { dataset }]) => h("li", {}, h("p", {}, h("b", {}, dataset.source)),
    h("button", { type: "button", class: "gm-card", "data-open": n },
      h("span", { class: "gm-num" }, n), h("span", { class: "gm-cardquote" }, dataset.quote))));
  $("#gm-panel-body").replaceChildren(cards.length ? h("ol", { class: "gm-cards" }, ...cards) : $("#gm-panel").dataset.empty);
  showAll();
}

/** On a phone the panel covers the page: "back" closes it rather than leaving. */
function reveal() {
  if (!isNarrow()) return;
  if (!app().classList.contains("panel-open")) history.pushState({ ...history.state, gmPanel: true }, "");
  app().classList.add("panel-open");
  $("#gm-scrim").hidden = false;
  holdFocus();
}

export function close() {
  if (history.state?.gmPanel) history.back(); // its own entry goes with it
  hide();
}

function hide() {
  const back = at?.back;
  app().classList.remove("panel-open", "side-open");
  $("#gm-scrim").hidden = true;
  holdFocus();
  $$(".gm-cite.is-on").forEach((c) => c.classList.remove("is-on"));
  if (at?.turn && !isNarrow()) showList(at.turn);
  if (back?.isConnected) back.focus({ focusVisible: true });
}

let tipFor = null;
let tipTimer = 0;
function onHover(event, show) {
  const cite = event.target.closest?.(".gm-cite[data-quote]");
  if (!cite) return;
  clearTimeout(tipTimer);
  if (!show) {
    const isFocused = document.activeElement === cite && cite.matches(":focus-visible");
    if (tipFor === cite && !isFocused) tipTimer = setTimeout(hideTip, event.type === "pointerout" ? 250 : 0);
    return;
  }
  if (event.type === "pointerover" && event.pointerType === "touch") return;
  if (event.type === "focusin" && !cite.matches(":focus-visible")) return;
  const tip = $("#gm-tip");
  const name = document.createElement("b");
  name.textContent = cite.dataset.source;
  tip.replaceChildren(name, `“${cite.dataset.quote}”`);
  tip.hidden = false;
  tipFor?.removeAttribute("aria-describedby");
  tipFor = cite;
  cite.setAttribute("aria-describedby", "gm-tip");
  const box = cite.getBoundingClientRect();
  const size = tip.getBoundingClientRect();
  const left = Math.min(Math.max(12, box.left - 24), innerWidth - size.width - 12);
  const isAbove = box.top > size.height + 16;
  tip.style.left = `${left}px`;
  tip.style.top = isAbove ? `${box.top - size.height - 8}px` : `${box.bottom + 8}px`;
}

function hideTip() {
  clearTimeout(tipTimer);
  $("#gm-tip").hidden = true;
  tipFor?.removeAttribute("aria-describedby");
  tipFor = null;
}
