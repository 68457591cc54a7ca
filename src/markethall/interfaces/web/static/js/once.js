const FORM = "form[data-once]";

const buttons = (form) => [...form.elements].filter((element) => element.type === "submit");

function lock(form) {
  form.dataset.sending = "";
  for (const button of buttons(form)) {
    button.disabled = true;
    button.setAttribute("aria-busy", "true");
  }
}

function unlock(form) {
  delete form.dataset.sending;
  for (const button of buttons(form)) {
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }
}

document.addEventListener(
  "submit",
  (event) => {
    if (!event.target.matches(FORM) || !("sending" in event.target.dataset)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  },
  true,
);

// A plain form: lock after the browser has read it, so the pressed button is sent too.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || !form.matches(FORM)) return;
  form.dataset.sending = "";
  setTimeout(() => lock(form));
});

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.matches(FORM)) lock(event.target);
});

document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt;
  if (form.matches(FORM)) unlock(form);
});

addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll(FORM).forEach(unlock);
});
