const panel = () => document.getElementById("panel");
let opener = null;
let asked = null;

async function open(link) {
  const dialog = panel();
  asked = link;
  if (!dialog.contains(link)) opener = link;
  if (opener === link) {
    for (const row of document.querySelectorAll("tr[aria-current]")) row.removeAttribute("aria-current");
    link.closest("tr")?.setAttribute("aria-current", "true");
  }
  dialog.querySelector("[data-panel-page]").href = link.href;
  const body = dialog.querySelector("#panel-body");
  body.setAttribute("aria-busy", "true");
  try {
    await htmx.ajax("GET", link.href, { target: body, swap: "innerHTML" });
    if (asked !== link) return;
    show(dialog);
    body.focus({ preventScroll: true });
  } finally {
    body.removeAttribute("aria-busy");
  }
}

function show(dialog) {
  if (dialog.open) return;
  if ("modal" in dialog.dataset) dialog.showModal();
  else dialog.show();
}

export function closePanel() {
  const dialog = panel();
  if (!dialog?.open) return false;
  dialog.close();
  // The list behind may have been loaded again meanwhile.
  const again = opener?.isConnected ? opener : document.getElementById(opener?.id ?? "");
  again?.focus();
  opener = null;
  return true;
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-panel-close]")) {
    closePanel();
    return;
  }
  const opens = event.target.closest("[data-dialog-open]");
  if (opens) {
    document.getElementById(opens.dataset.dialogOpen)?.showModal();
    return;
  }
  const modified = event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0;
  if (modified || event.defaultPrevented) return;
  const link = event.target.closest("[data-panel]") ?? rowLink(event.target);
  if (!link) return;
  if (!link.matches("[data-panel]") || !panel()) {
    if (!event.target.closest("a")) link.click();
    return;
  }
  event.preventDefault();
  open(link);
});

// A click anywhere in a row is a click on its link, unless it hits a control or selects text.
function rowLink(target) {
  if (target.closest("a, button, input, select, label, form") || String(getSelection())) return null;
  return target.closest("tr")?.querySelector("[data-row-link]") ?? null;
}

// The backdrop of a modal dialog closes it.
document.addEventListener("pointerdown", (event) => {
  const dialog = event.target;
  if (!(dialog instanceof HTMLDialogElement) || !dialog.matches(":modal")) return;
  const box = dialog.getBoundingClientRect();
  const inside =
    event.clientX >= box.left &&
    event.clientX <= box.right &&
    event.clientY >= box.top &&
    event.clientY <= box.bottom;
  if (!inside) dialog.close();
});

// The server closes the panel with HX-Trigger: closePanel.
document.addEventListener("closePanel", closePanel);

// What an answer put into the panel is shown with HX-Trigger-After-Swap: openPanel.
document.addEventListener("openPanel", (event) => {
  opener = document.activeElement ?? event.target;
  show(panel());
  panel().querySelector("#panel-body").focus({ preventScroll: true });
});
