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
