// Copy buttons, search as you type, colours, keys. Everything here has a way without scripts.
// Text from the mirror becomes text nodes and nothing else.
"use strict";
(() => {
  const root = document.documentElement;
  const said = document.getElementById("said");
  const byClass = (name, inside = document) => inside.querySelector("." + name);

  function say(text) {
    // the same words twice are read twice only when there was nothing between
    said.textContent = "";
    setTimeout(() => { said.textContent = text; }, 50);
  }

  // ---- copy ----------------------------------------------------------------------------------------------------
  // navigator.clipboard exists on https and localhost alone; a mirror is usually reached by plain http
  async function copyText(text) {
    if (navigator.clipboard) {
      try {
        await navigator.clipboard.writeText(text);
        return true;
      } catch { /* not allowed: the older way may be */ }
    }
    const field = document.createElement("textarea");
    field.value = text;
    field.readOnly = true;
    field.className = "unseen";
    const before = document.activeElement;
    document.body.append(field);
    field.select();
    let done = false;
    try { done = document.execCommand("copy"); } catch { done = false; }
    field.remove();
    before?.focus();
    return done;
  }

  async function copyFrom(button) {
    const source = button.closest(".copyable").querySelector("[data-text]");
    const done = await copyText(source.textContent);
    say(done ? document.body.dataset.copied : document.body.dataset.copyFailed);
    button.classList.toggle("done", done);
    if (done) setTimeout(() => button.classList.remove("done"), 1600);
    else getSelection().selectAllChildren(source);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.copy");
    if (button) copyFrom(button);
  });

  // ---- colours -------------------------------------------------------------------------------------------------
  const theme = byClass("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const present = () => root.dataset.theme || (system.matches ? "dark" : "light");

  function label() {
    const words = present() === "dark" ? theme.dataset.toLight : theme.dataset.toDark;
    byClass("unseen", theme).textContent = words;
    theme.title = words;
  }

  theme.addEventListener("click", () => {
    const next = present() === "dark" ? "light" : "dark";
    // back at what the system prefers, the page follows the system again
    const follows = next === (system.matches ? "dark" : "light");
    if (follows) delete root.dataset.theme;
    else root.dataset.theme = next;
    try {
      if (follows) localStorage.removeItem("theme");
      else localStorage.setItem("theme", next);
    } catch { /* storage is forbidden: the choice lasts as long as the page */ }
    label();
  });
  system.addEventListener("change", label);
  label();

  // ---- search as you type --------------------------------------------------------------------------------------
  const field = document.getElementById("q");
  const box = document.getElementById("suggestions");
  const list = box.querySelector("ol");
  const count = byClass("suggestions-count", box);
  const all = byClass("suggestions-all", box);
  let waiting = 0;
  let running = null;

  function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function resultItem(result) {
    const item = element("li");
    const link = element("a");
    link.href = result.href;
    const icon = element("span", "icon icon-" + result.icon);
    icon.setAttribute("aria-hidden", "true");
    const words = element("span", "suggestion-words");
    words.append(element("bdi", "suggestion-title", result.title));
    for (const note of [...result.notes.slice(0, 1), result.bundle]) {
      if (note) words.append(element("bdi", "note", note));
    }
    link.append(icon, words, element("span", "suggestion-kind", result.kind), element("span", "suggestion-size", result.size));
    item.append(link);
    return item;
  }

  function close() {
    box.hidden = true;
    list.replaceChildren();
  }

  function tell(text) {
    count.textContent = text;
    say(text);
  }

  function show(answer, query) {
    const words = answer.total === 0 ? box.dataset.none : answer.total === 1 ? box.dataset.one : box.dataset.many;
    list.replaceChildren(...answer.results.map(resultItem));
    all.hidden = answer.total === 0;
    all.firstElementChild.href = field.form.action + "?" + query;
    box.hidden = false;
    tell(words.replace("{number}", answer.total.toLocaleString("en")));
  }

  async function search() {
    running?.abort();
    if (!field.value.trim()) { close(); return; }
    const own = running = new AbortController();
    const query = new URLSearchParams(new FormData(field.form)).toString();
    try {
      const response = await fetch(field.dataset.answers + "?" + query, { signal: own.signal });
      if (!response.ok) throw new Error(String(response.status));
      const answer = await response.json();
      if (running === own) show(answer, query);
    } catch (error) {
      if (error.name === "AbortError" || running !== own) return;
      list.replaceChildren();
      all.hidden = true;
      box.hidden = false;
      tell(box.dataset.failed);
    }
  }

  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(search, 120);
  });

  // ---- filter what is listed -------------------------------------------------------------------------------------
  // the whole directory is on the page; where it is not, Enter asks the mirror
  const filter = document.getElementById("filter");
  const rows = document.querySelectorAll("table.sorted:not(.images) tbody tr:not(.up)");

  function narrow() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    for (const row of rows) {
      const name = row.querySelector(".name bdi").textContent.toLowerCase();
      row.hidden = !words.every((word) => name.includes(word));
      if (!row.hidden) left += 1;
    }
    say((left === 1 ? filter.dataset.one : filter.dataset.many).replace("{number}", left.toLocaleString("en")));
  }

  if (filter && "live" in filter.dataset) filter.addEventListener("input", narrow);

  // ---- a comparison that is under way ------------------------------------------------------------------------------
  const bar = document.getElementById("compare");
  const POLL_MS = 1000;

  async function follow() {
    let answer = null;
    try {
      const response = await fetch(bar.dataset.progress, { cache: "no-store" });
      if (response.ok) answer = await response.json();
    } catch { /* a mirror that is away for a moment is asked again */ }
    if (answer !== null && answer.state !== "running") { location.reload(); return; }
    if (answer !== null) {
      bar.value = answer.percent;
      document.getElementById("compare-progress").textContent = answer.text;
    }
    setTimeout(follow, POLL_MS);
  }

  if (bar) setTimeout(follow, POLL_MS);

  // ---- keys ----------------------------------------------------------------------------------------------------
  function move(event, step) {
    const stops = [field, ...box.querySelectorAll("a")].filter((stop) => stop === field || !box.hidden);
    const at = stops.indexOf(document.activeElement);
    const next = stops[at + step];
    if (at < 0 || !next) return;
    event.preventDefault();
    next.focus();
  }

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/" && !typing) {
      event.preventDefault();
      field.focus();
      field.select();
    } else if (event.key === "Escape" && !box.hidden) {
      event.preventDefault();
      clearTimeout(waiting);
      running?.abort();
      close();
      field.focus();
    } else if (event.key === "ArrowDown") move(event, 1);
    else if (event.key === "ArrowUp") move(event, -1);
  });

  document.addEventListener("click", (event) => {
    if (!box.hidden && !box.contains(event.target) && !field.form.contains(event.target)) close();
  });
})();
