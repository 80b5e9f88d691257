// The service worker that starts the page without a network (service_worker.js). A new version of the page waits until nothing is
// to be sent or finished, and comes in while nobody is at work on a visit.
import * as screens from "./screens.js";
import * as store from "./store.js";

const EVERY = 60_000;

export async function keptUp() {
  if (!("serviceWorker" in navigator)) return;
  const found = await navigator.serviceWorker.register("/telephone/service-worker.js", { scope: "/telephone" });
  const first = navigator.serviceWorker.controller === null;
  let asked = false;
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (!first && asked) location.reload();
  });
  setInterval(async () => {
    const busy = screens.current() !== "who" || (await store.visits()).some((one) => one.state !== "sent");
    if (!found.waiting || busy) return;
    asked = true;
    found.waiting.postMessage("take over");
  }, EVERY);
}
