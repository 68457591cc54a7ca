import { enhance } from "./enhance.js";

const POLL = 2000;
const REOPEN = 30000;
const ASK_ANYWAY = 15000; // a notification can be lost when the server dies after a commit

let source = null;
let poller = null;
let reopener = null;
let broken = false;
const busy = new Map();

const watchers = () => [...document.querySelectorAll("[data-live-topic]")];
const pending = () => watchers().filter((element) => "livePending" in element.dataset);

// One request at a time for each address; an event that comes meanwhile asks once more.
async function refresh(element) {
  const url = element.dataset.liveUrl;
  if (!url) {
    element.dispatchEvent(new CustomEvent("live", { bubbles: true }));
    return;
  }
  if (busy.has(url)) {
    busy.set(url, true);
    return;
  }
  busy.set(url, false);
  try {
    const swap = element.dataset.liveSwap ?? "outerHTML";
    await htmx.ajax("GET", url, { source: element, target: element, swap });
  } catch {
    // the next event or poll tries again
  } finally {
    const again = busy.get(url);
    busy.delete(url);
    if (again) watchers().filter((other) => other.dataset.liveUrl === url).forEach(refresh);
  }
}

function poll() {
  const left = pending();
  if (left.length) {
    left.forEach(refresh);
    return;
  }
  clearInterval(poller);
  poller = null;
}

function startPolling() {
  if (!poller && pending().length) poller = setInterval(poll, POLL);
}

function stopPolling() {
  clearInterval(poller);
  poller = null;
}

setInterval(() => {
  if (!poller && !document.hidden) pending().forEach(refresh);
}, ASK_ANYWAY);

function receive(event) {
  const { topic, type } = JSON.parse(event.data);
  document.dispatchEvent(new CustomEvent("live:update", { detail: { topic, type } }));
  for (const element of watchers()) if (element.dataset.liveTopic === topic) refresh(element);
}

// The stream is for those who have signed in; others ask from time to time.
const streamed = () => watchers().some((element) => !("livePoll" in element.dataset));

function open() {
  if (source || document.hidden) return;
  if (!streamed()) {
    startPolling();
    return;
  }
  clearTimeout(reopener);
  const url = document.querySelector("meta[name=live-url]")?.content || "/api/live";
  source = new EventSource(url);
  source.addEventListener("update", receive);
  source.addEventListener("open", () => {
    broken = false;
    stopPolling();
    pending().forEach(refresh);
  });
  source.addEventListener("error", () => {
    broken = true;
    startPolling();
    if (source?.readyState !== EventSource.CLOSED) return;
    close();
    reopener = setTimeout(open, REOPEN);
  });
}

function close() {
  source?.close();
  source = null;
}

// A tab in the background holds no connection; coming back, it catches up.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) {
    open();
    return;
  }
  close();
  stopPolling();
});
addEventListener("pagehide", close);

enhance("[data-live-topic]", () => {
  open();
  if (source?.readyState !== EventSource.OPEN && broken) startPolling();
});
