"use strict";
(() => {
  document.querySelectorAll("[data-map]").forEach((tab) => tab.addEventListener("click", () => {
    document.querySelectorAll("[data-map]").forEach((other) => other.setAttribute("aria-pressed", String(other === tab)));
    document.querySelectorAll("[data-map-of]").forEach((map) => { map.hidden = map.dataset.mapOf !== tab.dataset.map; });
  }));
  document.documentElement.dataset.drawn = "yes";
})();
