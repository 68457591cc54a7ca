function token() {
  const cookie = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
  return cookie
    ? decodeURIComponent(cookie[1])
    : document.querySelector("meta[name=csrf-token]")?.content;
}

export function csrfHeaders() {
  const value = token();
  return value ? { "X-CSRFToken": value } : {};
}

document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb !== "get") Object.assign(event.detail.headers, csrfHeaders());
});
