// What this telephone keeps, in IndexedDB. Nothing here reads as text about a patient: tours and drafts are encrypted under
// a key that a PIN opens (vault.js), finished visits are sealed to the service (letters.js).
//
// kept:   "device", the signing key; "service", the telephone numbers of the service; "leaving", whose session is to be ended
// aides:  who uses this telephone: {id, name, …} (vault.js)
// visits: one record a visit, by its number: {visit, aide, state, after, since, kid, sealed, hash, place, copy, …}; `state` is
//         "draft" (being written), "ready" (to be sent once `after` has passed) or "sent" (a receipt came, `at` that hour; what
//         was sealed is gone, the copy stays for 24 hours, to be corrected)
import { openDB } from "idb";

let opened = null;

// Some telephones close a database under memory pressure: it is opened again at the next use.
export function database() {
  opened ??= openDB("liaison", 1, {
    upgrade(made) {
      made.createObjectStore("kept");
      made.createObjectStore("aides", { keyPath: "id" });
      made.createObjectStore("visits", { keyPath: "visit" });
    },
    terminated() {
      opened = null;
    },
  });
  return opened;
}

// Without room it is kept as long as the page is open.
const unkept = new Map();
export const kept = async (name) => (unkept.has(name) ? unkept.get(name) : (await database()).get("kept", name));
export async function keep(name, value) {
  try {
    await (await database()).put("kept", value, name);
    unkept.delete(name);
  } catch {
    unkept.set(name, value);
  }
}
export const aides = async () => (await database()).getAll("aides");
export const aide = async (id) => (await database()).get("aides", id);
export const keepAide = async (one) => (await database()).put("aides", one);
export const visits = async () => (await database()).getAll("visits");

// Forgets what was sent before that moment; of what was sent before `copies`, the answers.
export async function forgetSent(before, copies) {
  const transaction = (await database()).transaction("visits", "readwrite");
  for (const one of await transaction.store.getAll()) {
    if (one.state !== "sent") continue;
    const { copy, ...rest } = one;
    if (one.at < before) await transaction.store.delete(one.visit);
    else if (copy && one.at < copies) await transaction.store.put(rest);
  }
  await transaction.done;
}

// Forgets a visit, if it stands so: "draft" or "ready". Answers whether it did.
export async function drop(visit, state = "draft") {
  const transaction = (await database()).transaction("visits", "readwrite");
  const so = (await transaction.store.get(visit))?.state === state;
  if (so) await transaction.store.delete(visit);
  await transaction.done;
  return so;
}

// Puts a visit down, unless the one that is there has left meanwhile. Answers whether it was put. Of an aide who has logged out in
// another tab it goes as it is.
export async function putVisit(record) {
  const transaction = (await database()).transaction(["aides", "visits"], "readwrite", { durability: "strict" });
  const visits = transaction.objectStore("visits");
  const before = await visits.get(record.visit);
  const free = before === undefined || before.state !== "sent";
  const here = (await transaction.objectStore("aides").getKey(record.aide)) !== undefined;
  if (free) await visits.put(here ? record : onItsOwn(record));
  await transaction.done;
  return free;
}

// What nobody here can open or change any more: there is nobody to take it back either.
function onItsOwn({ copy, place, ...record }) {
  return record.state === "sent" ? record : { ...record, state: "ready", after: 0 };
}

// Whoever hands the telephone over takes nothing back: what she has finished leaves before her session ends.
export async function notTakenBack(id) {
  for (const one of await visits()) {
    if (one.aide === id && one.state === "ready") await changeVisit(one.visit, (now) => ({ ...now, after: 0 })).catch(() => {});
  }
}

// Changes a visit in place; `change` answers what is to be there instead, or undefined to leave it.
export async function changeVisit(visit, change) {
  const transaction = (await database()).transaction("visits", "readwrite", { durability: "strict" });
  const before = await transaction.store.get(visit);
  const after = before && change(before);
  if (after) await transaction.store.put(after);
  await transaction.done;
  return after;
}

// Forgets the tour of an aide. What she had finished stays, sealed; what she had not finished goes as it is, as soon as there is room to
// say so.
export async function forgetAide(id) {
  const transaction = (await database()).transaction("aides", "readwrite", { durability: "strict" });
  await transaction.store.delete(id);
  await transaction.done;
  await leftAlone().catch(() => {});
}

// What is of nobody here any more stands on its own.
export async function leftAlone() {
  const transaction = (await database()).transaction(["aides", "visits"], "readwrite", { durability: "strict" });
  const here = await transaction.objectStore("aides").getAllKeys();
  const visits = transaction.objectStore("visits");
  for (const record of await visits.getAll()) {
    if (!here.includes(record.aide) && (record.place || record.copy)) await visits.put(onItsOwn(record));
  }
  await transaction.done;
}
