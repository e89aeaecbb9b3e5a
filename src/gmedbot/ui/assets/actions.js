// What can be done with an answer: copy, vote, link, save.
import { $, $$, copyText, h, post, t, toast } from "./dom.js";
import * as store from "./store.js";

const REASONS = ["wrong", "wrong-source", "missing", "unclear", "other"];

export async function copyAnswer(found) {
  toast(t((await copyText(found.copy)) ? "copied" : "copy_failed"));
}

export async function copyLink(question) {
  const address = new URL(location.pathname, location.origin);
  address.searchParams.set("q", question);
  toast(t((await copyText(address.href)) ? "link_copied" : "copy_failed"));
}

export function showVote(node, vote) {
  for (const name of ["up", "down"]) {
    $(`[data-act=${name}]`, node).setAttribute("aria-pressed", String(vote?.value === name));
  }
}

/** Vote, or take the same vote back; a vote against asks for its reason. */
export async function vote(node, turn, value, save) {
  const next = turn.vote?.value === value ? null : { value, reason: "" };
  if (!(await send(turn, next))) return;
  turn.vote = next;
  save();
  showVote(node, next);
  const reasons = $(".gm-reasons", node);
  reasons.hidden = next?.value !== "down";
  if (reasons.hidden) { toast(t(next ? "thanks" : "unvoted")); return; }
  drawReasons(reasons, turn, save);
  reasons.scrollIntoView({ block: "nearest" }); // it may be below the edge of the conversation
}

function drawReasons(box, turn, save) {
  const buttons = REASONS.map((reason) => h("button", {
    type: "button", class: "gm-small", "aria-pressed": "false", "data-reason": reason,
    onclick: async ({ currentTarget: mine }) => {
      const chosen = { value: "down", reason };
      if (!(await send(turn, chosen))) return;
      turn.vote = chosen;
      save();
      $$("button", box).forEach((b) => b.setAttribute("aria-pressed", String(b === mine)));
      toast(t("thanks"));
      setTimeout(() => {
        if (box.contains(document.activeElement)) $("[data-act=down]", box.closest(".gm-turn")).focus();
        box.hidden = true;
      }, 1200);
    },
  }, t(`reason.${reason}`)));
  box.replaceChildren(h("span", {}, t("reason_title")), ...buttons);
}

async function send(turn, chosen) {
  const record = turn.record ?? {};
  try {
    await post("/api/ui/vote", {
      client: store.client(), turn: turn.id, value: chosen?.value ?? null, reason: chosen?.reason ?? "",
      question: turn.question, passages: [...new Set((record.citations ?? []).map((c) => c.passage_id))],
      index: record.index ?? "",
    });
    return true;
  } catch {
    toast(t("vote_failed"));
    return false;
  }
}

/** A small menu beside its button; Escape and a click elsewhere close it. */
export function exportMenu(button, conversation) {
  $(".gm-menu-pop")?.remove();
  const close = (isBack) => {
    menu.remove();
    button.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside);
    if (isBack) button.focus({ focusVisible: true });
  };
  const outside = (event) => { if (!menu.contains(event.target)) close(false); };
  const items = ["md", "html", "json", "print"].map((form) => h("button", {
    type: "button", role: "menuitem", "data-form": form,
    onclick: () => { close(true); form === "print" ? window.print() : saveAs(conversation, form); },
  }, t(`export.${form}`)));
  const menu = h("div", { class: "gm-menu-pop", role: "menu", "aria-label": t("export") }, ...items);
  menu.addEventListener("keydown", (event) => {
    const here = items.indexOf(document.activeElement);
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) { event.preventDefault(); items[(here + by + items.length) % items.length].focus(); }
    if (event.key === "Escape") { event.stopPropagation(); close(true); }
    if (event.key === "Tab") close(true);
  });
  $(".gm-app").append(menu);
  const box = button.getBoundingClientRect();
  const size = menu.getBoundingClientRect();
  menu.style.left = `${Math.max(8, Math.min(box.left, innerWidth - size.width - 8))}px`;
  menu.style.top = box.top > size.height + 12 ? `${box.top - size.height - 6}px` : `${box.bottom + 6}px`;
  button.setAttribute("aria-expanded", "true");
  items[0].focus();
  document.addEventListener("pointerdown", outside);
}

async function saveAs(conversation, form) {
  try {
    const body = {
      title: conversation.title, turns: conversation.turns.map(({ question, record }) => ({ question, record })),
    };
    const response = await post(`/api/ui/export/${form}`, body);
    const address = URL.createObjectURL(await response.blob());
    const name = (conversation.title || "conversation").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
    const link = h("a", { href: address, download: `gmedbot-${name.slice(0, 50) || "conversation"}.${form}` });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  } catch {
    toast(t("export_failed"));
  }
}

/** Make the page ready for paper, where nothing can be pressed: quotes under each answer, closed parts open. */
export function beforePrint(conversation) {
  for (const turn of conversation.turns) {
    const list = $(`.gm-turn[data-turn="${turn.id}"] .gm-printsources`);
    if (!list) continue;
    list.dataset.title = t("print_sources");
    list.replaceChildren(...(turn.record?.citations ?? []).map((citation) => printed(citation, list.closest(".gm-turn"))));
    if (turn.record?.index) list.append(h("li", { class: "gm-printindex" }, t("print_index", { index: turn.record.index })));
  }
  for (const closed of $$("#gm-turns details:not([open])")) { closed.open = true; closed.dataset.paper = "open"; }
}

function printed(citation, node) {
  const { n, title, year, quote, url, source_id: id, start, end } = citation;
  const name = $(`.gm-cite[data-n="${n}"]`, node)?.dataset.source; // author and kind, as the page names them
  return h("li", { value: n }, h("cite", {}, name ?? (year ? String(year) : "")), h("span", {}, title), h("q", {}, quote),
    h("span", { class: "gm-address" }, t("print_place", { id, start, end })),
    ...(url ? [h("span", { class: "gm-address" }, url)] : []));
}

export function afterPrint() {
  for (const opened of $$("#gm-turns details[data-paper]")) { opened.open = false; delete opened.dataset.paper; }
}
