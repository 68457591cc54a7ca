import { showToast } from "./toast.js";

// Favourites: the heart flips at once and flips back if the server refuses.
function flip(form) {
  const heart = form.querySelector("[aria-pressed]");
  heart.setAttribute("aria-pressed", heart.getAttribute("aria-pressed") !== "true");
}

// Balance: a form with data-spends="1" takes that many credits off the pill at once.
const number = (element) => Number.parseInt(element.textContent, 10) || 0;

function setAll(selector, value) {
  for (const element of document.querySelectorAll(selector)) {
    if (number(element) === value) continue;
    element.textContent = value;
    element.dataset.changed = "";
    element.addEventListener("animationend", () => delete element.dataset.changed, { once: true });
  }
}

export function setBalance({ balance, held }) {
  if (balance !== undefined) setAll("[data-balance]", balance);
  if (held === undefined) return;
  setAll("[data-held]", held);
  for (const element of document.querySelectorAll("[data-held]")) {
    element.parentElement.hidden = held === 0;
  }
}

function spend(form, sign) {
  const amount = Number(form.dataset.spends) * sign;
  const pill = document.querySelector("[data-balance]");
  if (pill) setBalance({ balance: number(pill) - amount });
}

document.addEventListener("balance", (event) => setBalance(event.detail));

document.addEventListener("htmx:beforeRequest", (event) => {
  const form = event.target;
  if (form.matches("[data-favorite]")) flip(form);
  if (form.matches("[data-spends]")) spend(form, 1);
});

document.addEventListener("htmx:afterRequest", (event) => {
  const { elt: form, successful, xhr } = event.detail;
  if (successful) return;
  const told = xhr.getResponseHeader?.("HX-Trigger") ?? "";
  if (form.matches("[data-favorite]")) {
    flip(form);
    if (!told.includes('"toast"')) {
      showToast({ level: "error", text: "The favourite could not be saved. Please try again." });
    }
  }
  if (form.matches("[data-spends]") && !told.includes('"balance"')) spend(form, -1);
});
