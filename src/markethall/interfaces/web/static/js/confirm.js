const agreed = new WeakSet();

function ask(element) {
  const dialog = document.getElementById("confirm");
  const yes = dialog.querySelector("[data-confirm-yes]");
  const text = dialog.querySelector("[data-confirm-text]");
  const before = document.getElementById(element.dataset.confirmAfter);
  const say = () => {
    text.textContent = `${before?.textContent ?? ""} ${element.dataset.confirm}`.trim();
  };
  say();
  // What is said before is reckoned by the server, and may come while the question stands.
  const renewed = new MutationObserver(say);
  if (before) renewed.observe(before, { childList: true, characterData: true, subtree: true });
  yes.textContent = element.dataset.confirmLabel ?? "Continue";
  dialog.returnValue = "cancel";
  dialog.showModal();
  return new Promise((resolve) => {
    const answer = () => {
      renewed.disconnect();
      resolve(dialog.returnValue === "yes");
    };
    dialog.addEventListener("close", answer, { once: true });
  });
}

async function guard(event, element, proceed) {
  if (agreed.delete(element)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (!(await ask(element))) return;
  agreed.add(element);
  proceed();
}

document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    const element = event.submitter?.matches("[data-confirm]") ? event.submitter : form;
    if (element.dataset.confirm) guard(event, element, () => form.requestSubmit(event.submitter));
  },
  true,
);

document.addEventListener(
  "click",
  (event) => {
    const element = event.target.closest("a[data-confirm], button[type=button][data-confirm]");
    if (element) guard(event, element, () => element.click());
  },
  true,
);
