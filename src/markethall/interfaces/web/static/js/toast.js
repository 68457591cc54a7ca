import { enhance } from "./enhance.js";

const LIFETIME = 6000;
const region = () => document.querySelector("[data-toasts]");

function dismiss(toast) {
  if (!toast.isConnected || "leaving" in toast.dataset) return;
  toast.dataset.leaving = "";
  setTimeout(() => toast.remove(), 250);
}

function arm(toast) {
  let timer;
  const stop = () => clearTimeout(timer);
  const start = () => {
    stop();
    if (toast.matches(":hover, :focus-within")) return;
    timer = setTimeout(() => dismiss(toast), LIFETIME);
  };
  toast.addEventListener("mouseenter", stop);
  toast.addEventListener("focusin", stop);
  toast.addEventListener("mouseleave", start);
  toast.addEventListener("focusout", () => setTimeout(start));
  toast.addEventListener("keydown", (event) => event.key === "Escape" && dismiss(toast));
  toast.querySelector("[data-toast-close]").addEventListener("click", () => dismiss(toast));
  start();
}

export function showToast({ level = "info", text, actionUrl, actionText }) {
  const template = document.querySelector("[data-toast-template]");
  const toast = template.content.cloneNode(true).querySelector("[data-toast]");
  toast.dataset.level = level;
  toast.querySelector("[data-toast-text]").textContent = text;
  if (actionUrl) {
    const action = toast.querySelector("[data-toast-action]");
    action.href = actionUrl;
    action.textContent = actionText || "Open";
    action.hidden = false;
  }
  raise(toast);
}

// A modal dialog covers the page, so its toasts are shown inside it.
function raise(toast) {
  const modal = document.querySelector("dialog:modal");
  let home = region();
  if (modal) {
    home = modal.querySelector(".toasts") ?? modal.appendChild(home.cloneNode(false));
  }
  home.append(toast);
  while (home.children.length > 4) home.firstElementChild.remove();
  arm(toast);
}

enhance("[data-toasts] > [data-toast]", arm);

document.addEventListener("toast", ({ detail }) => (detail.toasts ?? [detail]).forEach(showToast));

document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = event.detail;
  const said = (xhr.getResponseHeader("HX-Trigger") ?? "").includes('"toast"');
  if (said || event.detail.elt.closest("[data-favorite], [data-live-topic]")) return;
  showToast({ level: "error", text: problem(xhr) });
});

document.addEventListener("htmx:sendError", (event) => {
  if (event.detail.elt.closest("[data-favorite], [data-live-topic]")) return;
  showToast({ level: "error", text: "No connection. Please try again." });
});

function problem(xhr) {
  if (xhr.getResponseHeader("Content-Type")?.includes("json")) {
    try {
      const { detail, title } = JSON.parse(xhr.responseText);
      if (detail || title) return detail || title;
    } catch {
      // fall through to the general text
    }
  }
  return "That did not work. Please try again.";
}
