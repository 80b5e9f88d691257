// The telephone's page: who is at work, her tour, a visit, what is to be sent. Everything works without a network but the first
// sign-in of the day and the sending.
import * as letters from "./letters.js";
import * as screens from "./screens.js";
import * as sending from "./sending.js";
import * as service from "./service.js";
import { stated } from "./state.js";
import * as store from "./store.js";
import { open as openTelling } from "./telling.js";
import * as today from "./today.js";
import * as vault from "./vault.js";
import { open as openVisit } from "./visit.js";
import * as visits from "./visits.js";
import { say } from "./words.js";
import { keptUp, takenOver } from "./worker.js";

const CLOSED_AFTER = 2 * 60_000;

let aide = null; // who is at work: {id, name, key, tour}; her key is nowhere else than here
let undo = null;
let release = () => {}; // of the visit that is open in this tab
let leave = null; // it, as it is
let opening = false;
let inHand = null; // the visit that is open in this tab
const left = new Map(); // of whose tour closed by itself, what was in her hands
let touched = clocks();
let apart = false; // whether she is at work here and not signed in, with a network
let install = null; // what the browser offers, where it does

// --- Who is at work

async function who(said = "") {
  aide = null;
  inHand = null;
  apart = false;
  header();
  const here = await store.aides();
  screens.show("who", { acts: { "sign-in": () => signIn() } });
  screens.at("[data-tiles]").replaceChildren(
    ...here.map((one) => screens.button(one.name, () => code(one))),
  );
  screens.told(said || (here.length ? "" : say("first-time")));
  if (here.length === 0) screens.at("[data-do=sign-in]").textContent = say("log-in");
  outboxLink();
  newcomer(here);
  takenOver();
}

// Whoever has just signed in, and has no tour on this telephone yet, chooses a code for it.
async function newcomer(here) {
  const { why, told } = await service.who();
  if (why !== "" || screens.current() !== "who" || aide) return;
  if (!told.enrolled) {
    const empty = here.length === 0 && (await store.visits()).length === 0;
    return empty ? stranger("not-this-phone", "ask-manager") : undefined;
  }
  if ((await store.kept("leaving")) !== told.id && !here.some((one) => one.id === told.id)) code(told, told.csrf);
}

function stranger(heading, said) {
  screens.show("message", { heading: say(heading) });
  screens.told(say(said));
}

// `csrf`: of a session that was begun for this; without it she has a tour here, which her code opens.
function code(one, csrf = "") {
  const acts = {
    "not-me": () => (csrf ? signIn() : who()),
    forgotten: screens.sure("forget-tour", () => forgotten(one)),
  };
  screens.show("code", { heading: say("hello", { name: one.name }), acts });
  screens.at("[data-do=forgotten]").hidden = csrf !== "";
  screens.at("[data-why]").hidden = screens.at("[data-again]").hidden = csrf === "";
  const form = screens.at("form");
  form.elements.code.focus();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const pin = form.elements.code.value;
    if (!vault.PIN.test(pin)) return screens.told(say("six"));
    if (csrf && pin !== form.elements.again.value) return screens.told(say("not-same"));
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      await (csrf ? settle(one, pin, csrf) : unlock(one, pin));
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      screens.told(say("no-room")); // nothing can be written: a try could not be counted either
    }
    button.disabled = false;
  });
}

// As after five wrong codes: nothing is lost with a tour, and another code is chosen with a network.
async function forgotten(one) {
  await store.forgetAide(one.id);
  sending.pass({ now: true });
  await who(say("forgotten"));
}

async function settle(one, pin, csrf) {
  const { why, told } = await service.tour(csrf, await letters.publicKey());
  if (why !== "") return screens.told(say(why === "offline" ? "needs-network" : "no-tour"));
  navigator.storage?.persist?.();
  aide = await vault.made(one, pin, told);
  await atWork();
}

async function unlock(one, pin) {
  const found = await vault.opened(one.id, pin);
  if (found) {
    aide = found;
    await atWork();
    return renew();
  }
  const room = await store.aide(one.id);
  if (room) {
    const field = screens.at("#code");
    field.value = "";
    field.focus();
    return screens.told(say("wrong", { count: vault.TRIES - room.wrong }));
  }
  sending.pass({ now: true });
  await who(say("erased"));
}

async function atWork() {
  const calls = { phone: aide.tour.service_phone, numbers: aide.tour.numbers ?? [] };
  await store.keep("service", calls);
  screens.callsAt(calls);
  header();
  await (left.has(aide.id) ? goOn() : home());
}

// The telephone's clock goes on while it sleeps and may be set; the page's own cannot be set.
function clocks() {
  return [Date.now(), performance.now()];
}

// A telephone that nobody touches shows nobody's tour: it is behind her code again. What she was writing is there when she comes back.
function untouched() {
  const gone = clocks().map((now, which) => Math.abs(now - touched[which]));
  if (aide === null || Math.max(...gone) < CLOSED_AFTER) return;
  document.activeElement.blur(); // what is typed and not yet taken in
  const { id, name } = aide;
  if (inHand) left.set(id, inHand);
  aide = inHand = leave = undo = null;
  header();
  code({ id, name });
  screens.at("[data-closed]").hidden = false;
}

// Where she was, unless it has left meanwhile: then it is on her tour.
async function goOn() {
  const visit = left.get(aide.id);
  left.delete(aide.id);
  release();
  const kept = (await store.visits()).find((one) => one.visit === visit.visit);
  await (kept && kept.state !== "draft" ? home() : edited(visit));
  if (screens.current() === "code") await home(); // it is open in another page
}

// A newer tour, when there is a network and it is she who is signed in.
async function renew() {
  const mine = aide;
  const { why, told } = await service.who();
  // There is a network, and the session is nobody's or somebody else's: hers ended when she handed the telephone over.
  apart = aide === mine && (why === "sign-in" || (why === "" && told.id !== mine.id));
  if (apart) await refreshed();
  if (why !== "" || !mine || told.id !== mine.id || !told.enrolled) return;
  const newer = await service.tour(told.csrf, await letters.publicKey());
  if (newer.why !== "" || aide !== mine) return;
  // The same again changes nothing under a thumb.
  const shown = ({ stops, replies }) => JSON.stringify([stops, replies]);
  const same = shown(mine.tour) === shown(newer.told);
  await vault.renewed(mine, newer.told);
  if (!same) await refreshed();
}

function header() {
  for (const part of document.querySelectorAll("[data-who]")) part.hidden = aide === null;
  document.querySelector("p[data-who]").textContent = aide?.name ?? "";
}

// The session here is ended too, at once or as soon as there is a network.
async function change() {
  await store.keep("leaving", aide.id);
  await store.notTakenBack(aide.id);
  undo = null;
  release();
  sending.pass({ now: true });
  await who();
}

async function logOut() {
  await store.forgetAide(aide.id);
  await change();
}

// To a page that needs the network.
async function online(path) {
  const { why } = await service.who();
  if (why === "offline") return screens.told(say("needs-network"));
  location.assign(path);
}

async function signIn() {
  const { why, told } = await service.who();
  if (why === "offline") return screens.told(say("needs-network"));
  if (why === "forbidden") return location.assign("/"); // somebody who does no home care: there they sign out
  if (why === "" && !(await service.leave(told.csrf))) return screens.told(say("later"));
  await store.keep("leaving", "");
  location.assign("/connexion?suite=/telephone");
}

// --- Her tour

async function home() {
  release();
  leave = inHand = null;
  // What is kept at every touch is found on the tour; a telling waits in this page for whoever began it.
  for (const [id, { place }] of left) if (!place.kind) left.delete(id);
  if (aide === null) return who();
  const acts = { undo: () => takeBack(undo.visit, undo), "sign-in": signIn, online: () => online("/aujourdhui"), "log-out": logOut, install: offered };
  screens.show("today", { acts });
  screens.at("[data-do=install]").hidden = install === null;
  outboxLink();
  await refreshed();
}

async function refreshed() {
  await stated();
  // She may have logged out in another tab, or the telephone is out of force.
  if (aide && screens.current() !== "visit" && !(await store.aide(aide.id))) {
    return who(sending.met.why === "not-enrolled" ? say("not-enrolled") : "");
  }
  if (screens.current() === "today") {
    screens.at("[data-undo]").hidden = undo === null;
    apart ||= sending.met.why === "sign-in";
    screens.at("[data-apart]").hidden = !apart;
    await today.cards(aide, begin);
  } else if (screens.current() === "outbox") await today.waiting(aide, begin);
}

async function offered() {
  await install.prompt();
  install = null;
  screens.at("[data-do=install]").hidden = true;
}

function outboxLink() {
  screens.at("#alerte").before(screens.button(say("outbox"), outbox));
}

async function outbox() {
  const acts = { send: () => sending.pass({ now: true }), "sign-in": signIn, home };
  screens.show("outbox", { acts });
  await refreshed();
}

// --- A visit

// `alert`: she has come to say what is wrong.
async function begin(stop, one, alert = false) {
  if (opening) return; // a second touch of the same thumb
  opening = true;
  try {
    if (one?.place.kind === "return") await notHome(one);
    else if (stop.paused && !one) await homeAgain(stop);
    else if (one?.state === "ready") await takeBack(one.visit);
    else if (one?.state === "sent") await edited(await visits.corrected(aide, one));
    else await edited(one ? await visits.taken(aide, one) : visits.begun(aide, stop));
    if (alert && screens.current() === "visit") {
      screens.at("#alerte").open = true;
      screens.at("#alerte").scrollIntoView();
    }
  } finally {
    opening = false;
  }
}

// « Sorti(e) »: there is nothing to fill in.
async function homeAgain(stop) {
  const told = visits.aside(aide, stop, "return");
  try {
    await visits.written(aide, told, true);
  } catch {
    return screens.told(say("full"));
  }
  undoFor(told);
  await home();
}

async function notHome({ visit }) {
  const free = await visits.dropped(visit);
  if (free) return home();
  await home();
  screens.told(say(free === undefined ? "busy" : "gone-for-good"));
}

async function takeBack(visit, mine = null) {
  if (mine?.place.kind === "return") return notHome(mine);
  const found = await visits.takenBack(aide, visit, mine);
  if (!found) return screens.told(say(found === undefined ? "busy" : "gone"));
  undo = null;
  await edited(found);
}

// In one tab at a time: two would each make a visit of the same appointment.
async function edited(visit) {
  const mine = await held(`liaison-visit-${visits.nameOf(visit)}`);
  if (mine === null) return screens.told(say("elsewhere"));
  release();
  release = mine;
  inHand = visit;
  if (!history.state?.inside) history.pushState({ inside: true }, "");
  const done = async (finished) => {
    if (finished) undoFor(finished);
    await home();
    if (finished === false) screens.told(say("gone"));
  };
  const beside = (kind) => edited(visits.aside(aide, visit.place.stop, kind));
  leave = visit.place.kind ? openTelling(aide, visit, done) : openVisit(aide, visit, done, beside);
  await stated();
}

// Holds a name until it is let go of, or the tab is closed. Answers how to let go; null when another tab holds it.
const held = (name) =>
  new Promise((resolve) =>
    navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      if (lock === null) return resolve(null);
      return new Promise((free) => resolve(free));
    }),
  );

function undoFor(visit) {
  undo = visit;
  setTimeout(async () => {
    if (undo === visit) undo = null;
    await sending.pass({ now: true });
    await refreshed();
  }, sending.undoUntil() - Date.now() + 50);
}

// --- All of it

async function start() {
  if (!("locks" in navigator) || !(await letters.able())) return stranger("too-old", "update");
  document.querySelector("[data-do=change]").addEventListener("click", change);
  history.replaceState({ base: true }, "");
  addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    install = event;
    if (screens.current() === "today") screens.at("[data-do=install]").hidden = false;
  });
  // A link within the page has no state: only the way back leaves a visit.
  addEventListener("popstate", ({ state }) => state?.base && (leave ? leave() : aide && home()));
  const kept = (await store.kept("service")) ?? "";
  screens.callsAt(typeof kept === "string" ? { phone: kept, numbers: [] } : kept); // a number alone, of a former version
  await vault.expired();
  await who();
  sending.begin(refreshed);
  setInterval(async () => {
    const over = await vault.expired();
    for (const id of over) left.delete(id);
    if (aide && over.includes(aide.id)) await who(say("first-time"));
  }, 60_000);
  const touch = () => {
    untouched(); // woken up by this very touch
    touched = clocks();
  };
  for (const kind of ["pointerdown", "keydown", "input"]) addEventListener(kind, touch, { capture: true, passive: true });
  document.addEventListener("visibilitychange", untouched);
  setInterval(untouched, 5_000);
  await keptUp(() => left.size === 0);
}

start();
