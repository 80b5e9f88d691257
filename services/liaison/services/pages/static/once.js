// A form is sent once: the second touch of an impatient thumb does nothing. A page that comes back may send again. Without
// this script the service does the same: it takes each form once.
const sent = new WeakSet();
addEventListener("submit", (event) => {
  if (event.defaultPrevented) return;
  if (sent.has(event.target)) event.preventDefault();
  sent.add(event.target);
  // Where nothing came of it, as without network, the button works again.
  setTimeout(() => sent.delete(event.target), 10000);
});
addEventListener("pageshow", () => {
  for (const form of document.forms) sent.delete(form);
});
