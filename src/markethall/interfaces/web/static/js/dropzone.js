import { enhance } from "./enhance.js";

const accepts = (input, file) =>
  input.accept
    .split(",")
    .map((type) => type.trim())
    .some((type) => !type || type === file.type || (type.endsWith("/*") && file.type.startsWith(type.slice(0, -1))));

function complaint(zone, input, file) {
  if (input.accept && !accepts(input, file)) {
    return "That file is of another kind. Please choose a JPEG, PNG or WebP picture.".replace(
      "JPEG, PNG or WebP picture",
      zone.dataset.kinds ?? "JPEG, PNG or WebP picture",
    );
  }
  const limit = Number(zone.dataset.maxMb || 10);
  const size = (file.size / 1024 / 1024).toFixed(1);
  if (file.size > limit * 1024 * 1024) {
    return `That file has ${size} MB; the most we can take is ${limit} MB.`;
  }
  return file.size === 0 ? "That file is empty." : "";
}

// Drawn on a canvas, so that no blob: address needs to be allowed.
async function preview(file) {
  if (!file.type.startsWith("image/")) return null;
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, 640 / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return canvas;
}

enhance("[data-dropzone]", (zone) => {
  const input = zone.querySelector("input[type=file]");
  const find = (name) => zone.querySelector(`[data-dropzone-${name}]`);
  const name = find("name");
  const error = find("error");
  const progress = find("progress");

  const say = (text) => {
    error.textContent = text;
    error.hidden = !text;
    input.toggleAttribute("aria-invalid", Boolean(text));
  };

  const show = async () => {
    const file = input.files[0];
    find("preview").replaceChildren();
    delete zone.dataset.filled;
    name.textContent = name.dataset.empty;
    if (!file) return;
    const fault = complaint(zone, input, file);
    say(fault);
    if (fault) {
      input.value = "";
      return;
    }
    name.textContent = file.name;
    zone.dataset.filled = "";
    try {
      const picture = await preview(file);
      if (picture && input.files[0] === file) find("preview").replaceChildren(picture);
    } catch {
      input.value = "";
      delete zone.dataset.filled;
      name.textContent = name.dataset.empty;
      say("That picture cannot be read. Please try another.");
    }
  };

  const take = (files) => {
    if (!files?.length) return;
    const transfer = new DataTransfer();
    transfer.items.add(files[0]);
    input.files = transfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };

  const over = (event) => {
    event.preventDefault();
    zone.dataset.over = "";
  };
  const leave = () => delete zone.dataset.over;

  input.addEventListener("change", show);
  zone.addEventListener("dragover", over);
  zone.addEventListener("dragleave", leave);
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    leave();
    take(event.dataTransfer.files);
  });
  document.addEventListener("paste", (event) => {
    if (zone.isConnected && event.clipboardData?.files.length) take(event.clipboardData.files);
  });

  const form = input.form;
  form?.addEventListener("htmx:xhr:progress", (event) => {
    const { lengthComputable, loaded, total } = event.detail;
    progress.hidden = false;
    if (lengthComputable) progress.value = (loaded / total) * 100;
    else progress.removeAttribute("value");
  });
  form?.addEventListener("htmx:afterRequest", (event) => {
    progress.hidden = true;
    if (event.detail.successful && event.detail.elt === form && "clear" in zone.dataset) {
      input.value = "";
      show();
    }
  });
  form?.addEventListener("submit", (event) => {
    if (event.defaultPrevented || !input.files.length) return;
    progress.removeAttribute("value");
    progress.hidden = false;
  });
  if (input.files.length) show();
});
