// Serves the page of the telephone and its files from what was put by at the installation, and nothing else: whatever is not on the
// list goes to the network untouched. The service writes the list before this text, with the digest of each.
import { cleanupOutdatedCaches, precacheAndRoute } from "workbox-precaching";

precacheAndRoute(self.LIAISON_FILES, { ignoreURLParametersMatching: [], cleanURLs: false, directoryIndex: null });
cleanupOutdatedCaches();

self.addEventListener("message", (event) => {
  if (event.data === "take over") self.skipWaiting();
});
// The page that installed it is served by it from now on, without being opened again.
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
