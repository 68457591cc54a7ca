// A box that ticks all boxes of one name.
document.addEventListener("change", (event) => {
  const all = event.target.closest("[data-check-all]");
  if (!all) return;
  for (const box of document.querySelectorAll(`input[type="checkbox"][name="${all.dataset.checkAll}"]`)) {
    box.checked = all.checked;
  }
});
