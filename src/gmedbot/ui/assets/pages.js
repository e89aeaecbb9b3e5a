// Our own pages: forms that need no button, tables that sort.
const text = (row, at) => row.cells[at].dataset.value ?? row.cells[at].textContent.trim();

for (const form of document.querySelectorAll("form[data-auto]")) {
  const button = form.querySelector(":scope > button");
  if (!form.querySelector("input[type=search]")) button?.classList.add("gm-sr");
  let isTyped = false; // with the keys a list is walked through: only the button submits what was chosen
  form.addEventListener("keydown", () => { isTyped = true; });
  form.addEventListener("pointerdown", () => { isTyped = false; });
  form.addEventListener("change", (event) => {
    if (event.target.tagName !== "SELECT") return;
    if (isTyped) button?.classList.remove("gm-sr");
    else form.requestSubmit();
  });
  form.addEventListener("submit", () => {
    for (const field of form.elements) if (field.name && !field.value) field.disabled = true;
  });
}
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-auto]")) form.reset(); // what the address says, not what was chosen last
  for (const field of document.querySelectorAll("form[data-auto] :disabled")) field.disabled = false;
});

const said = document.createElement("p"); // what a screen reader is told when a table has been sorted
said.className = "gm-sr";
said.setAttribute("role", "status");
document.body.append(said);

for (const table of document.querySelectorAll("table[data-sortable]")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "gm-sortbtn";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sort(table, heads, at));
  });
}

function sort(table, heads, at) {
  const isNumber = heads[at].dataset.sort === "number";
  const was = heads[at].getAttribute("aria-sort");
  const up = was ? was === "descending" : !isNumber;
  const sign = up ? 1 : -1;
  const rows = [...table.tBodies[0].rows];
  rows.sort((a, b) => sign * (isNumber ? text(a, at) - text(b, at) : text(a, at).localeCompare(text(b, at), "en")));
  table.tBodies[0].append(...rows);
  heads.forEach((head) => head.removeAttribute("aria-sort"));
  heads[at].setAttribute("aria-sort", up ? "ascending" : "descending");
  said.textContent = table.dataset.sortable.replace("{column}", heads[at].textContent.trim()).replace("{way}", table.dataset[up ? "up" : "down"]);
}

// A page that waits for an index looks for it, and opens again when it is there.
if (document.body.dataset.wait !== undefined) {
  setInterval(async () => {
    try {
      if ((await fetch("/healthz", { cache: "no-store" })).ok) location.reload();
    } catch { /* the server is away; look again */ }
  }, 4000);
}
