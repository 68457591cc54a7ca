const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");

const current = () => root.dataset.mode ?? (system.matches ? "dark" : "light");

function remember(mode) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `mode=${mode}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
}

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-mode-toggle]")) return;
  const mode = current() === "dark" ? "light" : "dark";
  root.dataset.mode = mode;
  for (const source of document.querySelectorAll("source[data-night]")) {
    source.media = mode === "dark" ? "all" : "not all";
  }
  remember(mode);
});
