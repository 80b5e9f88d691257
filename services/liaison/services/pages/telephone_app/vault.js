// The tour of each aide, encrypted (AES-GCM) under a key of its own, which a PIN of six digits wraps (PBKDF2). So short a PIN
// only delays: that is why little is kept, for 36 hours at most, and why five wrong PINs erase it. Losing it loses
// nothing: what was written is sealed beside it (letters.js).
import { bytesOf, textOf } from "./encoding.js";
import * as store from "./store.js";

const ROUNDS = 600_000; // OWASP Password Storage Cheat Sheet, 2023: PBKDF2-HMAC-SHA256
const HOUR = 3_600_000;
const LONGEST = 36 * HOUR;
export const CORRECTED_WITHIN = 24 * HOUR;
export const TRIES = 5;
export const PIN = /^[0-9]{6}$/;

const random = (length) => crypto.getRandomValues(new Uint8Array(length));

async function fromPin(pin, salt) {
  const typed = await crypto.subtle.importKey("raw", bytesOf(pin), "PBKDF2", false, ["deriveKey"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt, iterations: ROUNDS };
  return crypto.subtle.deriveKey(how, typed, { name: "AES-GCM", length: 256 }, false, ["wrapKey", "unwrapKey"]);
}

export async function encrypted(key, value) {
  const iv = random(12);
  return { iv, content: await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, bytesOf(JSON.stringify(value))) };
}

export async function decrypted(key, { iv, content }) {
  return JSON.parse(textOf(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, content)));
}

// Makes room for an aide on this telephone, and opens it. `me`: {id, name}.
export async function made(me, pin, tour) {
  const made = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt", "decrypt"]);
  const [salt, iv] = [random(16), random(12)];
  const wrapped = await crypto.subtle.wrapKey("raw", made, await fromPin(pin, salt), { name: "AES-GCM", iv });
  const key = await unwrapped(wrapped, iv, salt, pin);
  const room = { id: me.id, name: me.name, salt, iv, wrapped, wrong: 0, until: Date.parse(tour.good_until) };
  await store.keepAide({ ...room, tour: await encrypted(key, tour) });
  return { id: me.id, name: me.name, key, tour };
}

async function unwrapped(wrapped, iv, salt, pin) {
  const by = await fromPin(pin, salt);
  return crypto.subtle.unwrapKey("raw", wrapped, by, { name: "AES-GCM", iv }, "AES-GCM", false, ["encrypt", "decrypt"]);
}

// Opens it again. Answers null for a wrong PIN; after the fifth the tour is erased. A try counts before it is made: closing
// the page in between gives none back.
export async function opened(id, pin) {
  const room = await store.aide(id);
  if (room === undefined) return null;
  await store.keepAide({ ...room, wrong: room.wrong + 1 });
  let key;
  try {
    key = await unwrapped(room.wrapped, room.iv, room.salt, pin);
  } catch {
    if (room.wrong + 1 >= TRIES) await store.forgetAide(id);
    return null;
  }
  await store.keepAide({ ...room, wrong: 0 });
  return { id, name: room.name, key, tour: await decrypted(key, room.tour) };
}

// Puts a newer tour in the place of an aide who is at work.
export async function renewed(aide, tour) {
  const room = await store.aide(aide.id);
  if (room === undefined) return;
  // A visit that was begun is told on the form that it was begun on.
  aide.tour = { ...tour, forms: { ...aide.tour.forms, ...tour.forms } };
  await store.keepAide({ ...room, until: Date.parse(tour.good_until), tour: await encrypted(aide.key, aide.tour) });
}

// Erases what is past its time. Answers the ids of whom that was.
export async function expired() {
  await store.forgetSent(Date.now() - LONGEST, Date.now() - CORRECTED_WITHIN);
  const over = (await store.aides()).filter((room) => room.until <= Date.now()).map((room) => room.id);
  for (const id of over) await store.forgetAide(id);
  await store.leftAlone().catch(() => {});
  return over;
}
