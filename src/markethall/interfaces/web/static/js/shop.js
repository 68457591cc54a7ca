import { enhance } from "./enhance.js";

// The characters of a text, counted beside its label.
document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-text]")) return;
  const counter = document.querySelector(`[data-count-of="${CSS.escape(event.target.id)}"]`);
  if (counter) counter.textContent = [...event.target.value].length;
});

// The pieces in the bag, told by the server: HX-Trigger {"bag": {"pieces": 2}}.
document.addEventListener("bag", ({ detail: { pieces } }) => {
  const words = pieces ? `Bag, ${pieces} ${pieces === 1 ? "piece" : "pieces"}` : "Bag";
  for (const link of document.querySelectorAll("[data-bag]")) {
    link.setAttribute("aria-label", words);
    link.querySelector("[data-count]").textContent = pieces || "";
  }
});

// Whether a piece is on the wishlist, told by the server: HX-Trigger {"kept": {"isKept": true}}.
document.addEventListener("kept", ({ target, detail: { isKept } }) => {
  target.closest("[data-keep]")?.setAttribute("aria-pressed", isKept);
});

// What was wrong with a choice is not any more when it is made anew.
document.addEventListener("change", ({ target }) => {
  if (target.closest("[data-configurator]")) target.removeAttribute("aria-invalid");
});

// A new choice renews what is told of it. The buttons stay the same ones: a click on a button that
// is replaced while it is pressed would be lost.
enhance("[data-offer]", (told) => {
  const form = told.closest("form");
  const { buy, isSaved } = told.dataset;
  const button = form.querySelector("[data-buys]");
  button.disabled = "sending" in form.dataset || !("canBuy" in told.dataset);
  button.firstElementChild.textContent = buy;
  form.querySelector("[data-keep]")?.setAttribute("aria-pressed", isSaved);
});

// An answer to choices that were replaced meanwhile, by a refusal that says what is missing, comes
// too late: it knows nothing of what is said there.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { requestConfig } = event.detail;
  if (event.target.id === "told" && !requestConfig.elt.isConnected) event.detail.shouldSwap = false;
});

// Files that are too large together, in MB, are told of when they are chosen, and are not sent.
document.addEventListener("change", ({ target }) => {
  if (!target.matches("input[type=file][data-most]")) return;
  const size = [...target.files].reduce((sum, file) => sum + file.size, 0);
  const isTooMuch = size > Number(target.dataset.most) * 1024 * 1024;
  target.setAttribute("aria-invalid", isTooMuch);
  document.getElementById(`${target.id}-fault`).hidden = !isTooMuch;
});
document.addEventListener(
  "submit",
  (event) => {
    const files = event.target.querySelector("[data-most][aria-invalid=true]");
    if (!files) return;
    event.preventDefault();
    files.focus();
  },
  true,
);
