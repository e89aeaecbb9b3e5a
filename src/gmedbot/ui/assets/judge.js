// Judging a pair without leaving the page, so that notes typed in other cards stay. Without it the forms still work.
const box = document.getElementById("gm-judge");

box?.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-judge]");
  if (!form) return;
  event.preventDefault();
  if (form.dataset.busy) return;
  form.dataset.busy = "1";
  const body = new URLSearchParams(new FormData(form));
  if (event.submitter) body.set(event.submitter.name, event.submitter.value);
  body.set("part", "1");
  const card = form.closest(".gm-pair");
  try {
    const response = await fetch(form.getAttribute("action"), { method: "POST", body });
    const kind = response.headers.get("content-type") ?? "";
    const text = await response.text();
    if (response.status < 500 && kind.startsWith("text/html")) put(card, text);
    else tell(card, response.status < 500 && kind.startsWith("text/plain") ? text : box.dataset.failed);
  } catch {
    tell(card, box.dataset.failed);
  }
  delete form.dataset.busy;
});

/** Every piece that came takes the place of the one with its id; the focus goes to what was judged. */
function put(card, text) {
  const id = card.id;
  for (const fresh of [...new DOMParser().parseFromString(text, "text/html").body.children]) {
    document.getElementById(fresh.id)?.replaceWith(fresh);
  }
  const now = document.getElementById(id);
  const problem = now.querySelector(".gm-problem");
  (problem.textContent ? problem : now.querySelector(".gm-judged") ?? now).focus();
}

/** Say what went wrong; the card and its note stay. */
function tell(card, text) {
  const problem = card.querySelector(".gm-problem");
  problem.textContent = text;
  problem.focus();
}

/** The cards whose note differs from the one that came with the page. */
const hasUnsaved = () => [...box.querySelectorAll("textarea")].some((area) => area.value !== area.defaultValue);
if (box) addEventListener("beforeunload", (event) => { if (hasUnsaved()) event.preventDefault(); });
