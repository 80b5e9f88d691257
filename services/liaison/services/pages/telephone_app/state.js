// The one sentence that says how things stand, at the same place on every screen. What is not sent comes before all else, and is
// never green.
import * as sending from "./sending.js";
import * as store from "./store.js";
import { clock, dayOf, say } from "./words.js";

const box = document.getElementById("etat");
const DAY = 24 * 3_600_000;
const line = box.querySelector("p");

export async function stated() {
  const visits = await store.visits();
  const [text, waits] = sentence(
    (state) => visits.filter((one) => one.state === state).length,
    visits.filter((one) => one.answer === "checking").length,
    await store.kept("last"),
    visits.some((one) => one.state === "ready" && one.since < Date.now() - DAY),
  );
  box.hidden = text === "";
  box.classList.toggle("liaison-state--waiting", waits);
  if (line.textContent !== text) line.textContent = text;
}

function sentence(number, checking, last, long) {
  const [ready, unfinished] = [number("ready"), number("draft")];
  if (sending.met.sending) return [say("sending", sending.met.sending), true];
  if (ready) return [say("waiting", { count: ready }) + (long ? `. ${say("too-long")}` : ""), true];
  if (unfinished) return [say("unfinished", { count: unfinished }), true];
  if (checking) return [say("checking", { count: checking }), true];
  return last && dayOf(last) === dayOf(Date.now()) ? [say("all-sent", { at: clock(last) }), false] : ["", true];
}
