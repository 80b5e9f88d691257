// Sends what is finished, one visit after the other, by one tab at a time. A visit is let go of on a receipt that carries the hash of
// what was sealed, and on nothing else.
import * as service from "./service.js";
import * as store from "./store.js";

const UNDO = 10_000;
const EVERY = 30_000;
const LONGEST_WAIT = 10 * 60_000;
const SENDER = "liaison-sending";

// What was met at the last try: "", "offline", "sign-in", "forbidden", "not-enrolled", "later".
export const met = { why: "", sending: null, last: null };
let tell = () => {};
const others = new BroadcastChannel(SENDER); // tabs
let failures = 0;
let next = 0;

export const undoUntil = () => Date.now() + UNDO;
// A clock that was set back does not hold a visit.
const due = (record) => record.state === "ready" && (record.after <= Date.now() || record.after > Date.now() + UNDO);

// `heard` is called whenever there is something new to say.
export function begin(heard) {
  tell = heard;
  const soon = () => pass();
  others.addEventListener("message", () => tell());
  addEventListener("online", () => pass({ now: true }));
  document.addEventListener("visibilitychange", () => document.hidden || soon());
  setInterval(soon, EVERY);
  soon();
}

// One round. `now`: whatever was met before.
export async function pass({ now = false } = {}) {
  if (!now && Date.now() < next) return;
  const before = met.why;
  const busy = await navigator.locks.request(SENDER, { ifAvailable: true }, (lock) => lock !== null && round());
  // A quiet round changes nothing under a thumb.
  if (busy || met.why !== before) tell();
  if (busy) others.postMessage("");
}

// Does `change` while nothing is being sent. Answers undefined when something is.
export const between = (change) =>
  navigator.locks.request(SENDER, { ifAvailable: true }, (lock) => (lock === null ? undefined : change()));

// Answers whether there was anything to do.
async function round() {
  const waiting = (await store.visits()).filter(due);
  const leaving = await store.kept("leaving");
  if (waiting.length === 0 && !leaving) return settled("", false);
  const { why, told } = await service.who();
  // Her session is over, or somebody else has begun one since.
  if (leaving && !["offline", "later"].includes(why) && told.id !== leaving) await store.keep("leaving", "");
  if (why !== "") return settled(waiting.length === 0 ? "" : why, waiting.length > 0);
  let found = told.enrolled ? "" : "not-enrolled";
  for (const [index, record] of waiting.entries()) {
    if (["offline", "sign-in", "forbidden", "not-enrolled"].includes(found)) break;
    met.sending = { index: index + 1, of: waiting.length };
    tell();
    found = (await sent(record, told.csrf)) || found;
  }
  met.sending = null;
  // Whoever has left was still signed in here for want of a network: her visits first, then the session.
  if (leaving === told.id && (await service.leave(told.csrf))) await store.keep("leaving", "");
  return settled(found, true);
}

async function sent(record, csrf) {
  const { why, told } = await service.bring(csrf, record);
  // What is not accepted stays, and is said; it is not the others' fault, and they go on.
  const refused = why === "malformed";
  if (refused || record.refused) await store.changeVisit(record.visit, (now) => ({ ...now, refused }));
  if (why !== "") return refused ? "" : why;
  if (told?.hash !== record.hash || told?.visit !== record.visit) return "later";
  await store
    .changeVisit(record.visit, ({ copy, sealed, ...now }) =>
      now.hash === told.hash
        ? { ...now, ...(copy && told.state === "filed" && { copy }), state: "sent", answer: told.state, at: Date.now() }
        : undefined,
    )
    .catch(() => store.drop(record.visit, "ready")); // there is no room to say so
  await store.keep("last", Date.now());
  return "";
}

function settled(why, busy) {
  failures = why === "later" ? failures + 1 : 0;
  next = failures ? Date.now() + Math.min(EVERY * 2 ** (failures - 1), LONGEST_WAIT) : 0;
  met.why = why;
  return busy;
}
