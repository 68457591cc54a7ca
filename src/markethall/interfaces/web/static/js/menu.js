const open = () => document.querySelectorAll("details[data-menu][open]");

document.addEventListener("click", (event) => {
  for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of open()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// The console's navigation folds away on narrow screens only.
const wide = matchMedia("(min-width: 60rem)");
const fit = () => {
  for (const nav of document.querySelectorAll("details[data-nav]")) nav.open = wide.matches;
};
wide.addEventListener("change", fit);
fit();

// Forms with data-autosubmit send themselves when a choice changes.
document.addEventListener("change", (event) => {
  event.target.closest("form[data-autosubmit]")?.requestSubmit();
});

// Buttons with data-copy="text" put it on the clipboard.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  document.dispatchEvent(new CustomEvent("toast", { detail: { level: "success", text: "Copied" } }));
});

// data-step="1" or "-1" beside a number field.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-step]");
  const input = button?.parentElement.querySelector("input[type=number]");
  if (!input) return;
  if (button.dataset.step > 0) input.stepUp();
  else input.stepDown();
  input.dispatchEvent(new Event("change", { bubbles: true }));
});
