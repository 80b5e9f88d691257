// The service worker that starts the page without a network (service_worker.js). A new version of the page waits until nothing is
// to be sent or finished, and comes in while nobody is at work.
import * as screens from "./screens.js";
import * as store from "./store.js";

const EVERY = 60_000;
let registered = null;
let free = () => true;

// `disturbsNobody`: whether nothing waits in this page alone.
export async function keptUp(disturbsNobody) {
  free = disturbsNobody;
  if (!("serviceWorker" in navigator)) return;
  try {
    registered = await navigator.serviceWorker.register("/telephone/service-worker.js", { scope: "/telephone" });
  } catch {
    return; // the service did not give it; the next opening asks again
  }
  setInterval(takenOver, EVERY);
}

// Lets a new version in, where there is one and it disturbs nobody.
export async function takenOver() {
  if (!registered?.waiting || !free() || (await store.visits()).some((one) => one.state !== "sent")) return;
  if (screens.current() !== "who") return;
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload());
  registered.waiting.postMessage("take over");
}
