"use strict";
(() => {
  const root = document.documentElement, button = document.getElementById("theme");
  const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const say = () => { button.textContent = isDark() ? "Light" : "Dark"; };
  button.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; say(); });
  say();

  document.querySelectorAll("[data-map]").forEach((tab) => tab.addEventListener("click", () => {
    document.querySelectorAll("[data-map]").forEach((other) => other.setAttribute("aria-pressed", String(other === tab)));
    document.querySelectorAll("[data-map-of]").forEach((map) => { map.hidden = map.dataset.mapOf !== tab.dataset.map; });
  }));

  const table = document.getElementById("sortable");
  if (table) {
    const body = table.tBodies[0], heads = [...table.querySelectorAll("th")];
    const sortBy = (head) => {
      const column = Number(head.dataset.column), falling = head.getAttribute("aria-sort") !== "descending";
      const value = (row) => {
        const cell = row.cells[column], text = cell.dataset.v ?? cell.textContent;
        return head.classList.contains("n") ? (text === "\u2013" ? null : Number(text)) : text;
      };
      const keyed = [...body.rows].map((row) => [value(row), row]);
      keyed.sort(([a], [b]) => {
        // A trial without the figure stays at the end, whichever way.
        if (a === null || b === null) return (a === null) - (b === null);
        return (a < b ? -1 : a > b ? 1 : 0) * (falling ? -1 : 1);
      });
      body.append(...keyed.map(([, row]) => row));
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", falling ? "descending" : "ascending");
    };
    heads.forEach((head) => {
      head.addEventListener("click", () => sortBy(head));
      head.addEventListener("keydown", (event) => { if (event.key === "Enter") sortBy(head); });
    });
  }
  root.dataset.drawn = "yes";
})();
