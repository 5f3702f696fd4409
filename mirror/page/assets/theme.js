// Runs before the first paint: says that scripts run, and takes over the colours that were chosen here before.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("scripts");
  let chosen = null;
  // storage may be forbidden; the page then follows the system
  try { chosen = localStorage.getItem("theme"); } catch { chosen = null; }
  if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
})();
