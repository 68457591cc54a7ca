import { closePanel } from "./panel.js";

const typing = (target) => target.matches("input, select, textarea, [contenteditable]");
const visible = (element) => element.checkVisibility();

function move(step) {
  const links = [...document.querySelectorAll("[data-row-link]")].filter(visible);
  if (!links.length) return;
  const row = document.activeElement.closest("tr") ?? document.querySelector("tr[aria-current]");
  const at = links.findIndex((link) => row?.contains(link));
  const next = links[Math.max(0, Math.min(links.length - 1, at + step))] ?? links[0];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

function go(key) {
  document.querySelector(`a[data-keys="g ${CSS.escape(key)}"]`)?.click();
}

const actions = {
  "/": () => [...document.querySelectorAll("[data-search]")].find(visible)?.focus(),
  j: () => move(1),
  k: () => move(-1),
  "?": () => document.getElementById("shortcuts")?.showModal(),
};

let leader = 0;

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const modal = document.querySelector("dialog:modal");
  if (event.key === "Escape") {
    if (modal) return;
    if (typing(event.target) && !event.target.closest("#panel")) event.target.blur();
    else closePanel();
    return;
  }
  if (modal || typing(event.target) || !document.querySelector("[data-console], [data-keyboard]")) return;
  if (event.timeStamp - leader < 1000 && leader) {
    leader = 0;
    go(event.key);
    return;
  }
  if (event.key === "g") {
    leader = event.timeStamp;
    return;
  }
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});
