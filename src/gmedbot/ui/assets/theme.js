// Colour theme: as the device, light or dark. Runs before the first paint, so that nothing flashes.
(() => {
  "use strict";
  const root = document.documentElement;
  const asked = new URLSearchParams(location.search).get("__theme");
  const read = () => { try { return localStorage.getItem("gm.theme") || "auto"; } catch { return "auto"; } };
  const set = (name) => {
    if (name === "light" || name === "dark") root.dataset.theme = name;
    else delete root.dataset.theme;
  };
  set(asked === "light" || asked === "dark" ? asked : read());
  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("#gm-theme");
    if (!button) return;
    const names = ["auto", "light", "dark"];
    const next = names[(names.indexOf(root.dataset.theme || "auto") + 1) % names.length];
    set(next);
    try { localStorage.setItem("gm.theme", next); } catch { /* private mode: the choice ends with the page */ }
    window.dispatchEvent(new CustomEvent("gm-theme", { detail: next }));
  });
})();
