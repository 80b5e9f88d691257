// Aujourd'hui: the stops of the tour in their order, with how each stands. À envoyer: what waits.
import * as screens from "./screens.js";
import * as sending from "./sending.js";
import * as store from "./store.js";
import * as visits from "./visits.js";
import { clock, dayOf, say } from "./words.js";

const MOST = 15;

// `open(stop, record)`: she begins, goes on with, changes or corrects a visit.
export async function cards(aide, open) {
  const all = visits.latest(await visits.hers(aide)).filter((one) => one.place.kind !== "report"); // whoever looks on
  if (screens.current() !== "today") return;
  // « Sorti(e) » stands on the visits that wait for it, and is none by itself.
  const mine = all.filter((one) => one.place.kind !== "return");
  const home = new Map(all.filter((one) => one.place.kind === "return").map((one) => [one.place.stop.patient, one]));
  const told = new Map(mine.map((one) => [one.place.stop.appointment, one]));
  const inTour = new Set(aide.tour.stops.map((stop) => stop.appointment));
  const others = mine.filter((one) => !inTour.has(one.place.stop.appointment));
  const today = dayOf(Date.now());
  // With a clock that is wrong by days nothing would be of today: then all is shown.
  const later = (stop) => stop.at !== "" && dayOf(new Date(stop.at)) > today;
  const past = ({ stop, one }) => stop.at !== "" && dayOf(new Date(stop.at)) < today && !one;
  const ordered = [
    ...aide.tour.stops.map((stop) => ({
      stop,
      one: told.get(stop.appointment) ?? (stop.paused && !stop.done ? home.get(stop.patient) : undefined),
    })),
    ...others.map((one) => ({ stop: one.place.stop, one })),
  ].sort((a, b) => over(a) - over(b));
  const now = ordered.filter((found) => !later(found.stop) && !past(found));
  const known = now.length || ordered.some(({ stop }) => later(stop)) ? now : ordered;
  put("[data-cards]", known, open);
  replied(aide.tour.replies ?? []);
  const tomorrow = ordered.filter(({ stop }) => later(stop));
  put("[data-cards-tomorrow]", tomorrow, open);
  screens.at("[data-tomorrow]").hidden = tomorrow.length === 0;
  screens.at("[data-nothing]").hidden = known.length > 0;
  unplanned(aide.tour.stops, open);
  alerted(ordered, open);
  const alert = mine.some((one) => one.state !== "sent" && one.place.alert);
  screens.notGone(alert);
  if (alert) screens.at("[data-cards]").before(screens.at("#alerte")); // first of all
}

// What somebody answered to her, as it came with the tour.
function replied(replies) {
  screens.at("[data-replied]").hidden = replies.length === 0;
  screens.at("[data-replies]").replaceChildren(
    ...replies.map(({ about, text }) => {
      const made = screens.cloned("reply");
      made.querySelector("[data-about]").textContent = about;
      made.querySelector("[data-text]").textContent = text;
      return made;
    }),
  );
}

const over = ({ stop, one }) => (inHospital(stop, one) ? 1 : 2 * Number(one ? one.state !== "draft" : stop.done));
const inHospital = (stop, one) => stop.paused && !stop.done && (!one || one.place.kind === "return");

// « Alerte », after the calls: for whom, each person once, by the visit that is not over if there is one.
function alerted(ordered, open) {
  const people = [...new Map([...ordered].reverse().map((found) => [found.stop.patient, found])).values()].reverse();
  screens.at("[data-for-whom]").replaceChildren(
    ...people.map(({ stop, one }) => {
      const item = document.createElement("li");
      const again = one?.state === "sent" || (!one && stop.done) || inHospital(stop, one);
      const act = again ? () => open(visits.beside(stop, say("unplanned")), undefined, true) : () => open(stop, one, true);
      item.append(screens.button(stop.who, act));
      return item;
    }),
  );
}

// Anybody of the tour, beside what was planned: her permit covers no one else.
function unplanned(stops, open) {
  const people = [...new Map(stops.map((stop) => [stop.patient, stop])).values()];
  screens.at("[data-unplanned]").hidden = people.length === 0;
  screens.at("[data-people]").replaceChildren(
    ...people.map((stop) => {
      const item = document.createElement("li");
      const text = [stop.who, stop.commune].filter(Boolean).join(" · ");
      item.append(screens.button(text, () => open(visits.beside(stop, say("unplanned")))));
      return item;
    }),
  );
}

function put(where, found, open) {
  screens.at(where).replaceChildren(...found.slice(0, MOST).map(({ stop, one }) => card(stop, one, open)));
}

function card(stop, one, open) {
  const made = screens.cloned("card");
  const part = (name) => made.querySelector(`[data-${name}]`);
  part("heading").textContent = [stop.at && clock(new Date(stop.at)), stop.who].filter(Boolean).join(" · ");
  part("place").textContent = [stop.commune, stop.instruction].filter(Boolean).join(" · ");
  const [state, verb] = standing(stop, one);
  part("tag").textContent = say(state);
  part("tag").classList.add(`govuk-tag--${state === "sent" ? "green" : "grey"}`);
  made.querySelector("li").classList.toggle("liaison-card--done", state === "sent");
  if (verb === null) part("open").remove();
  else {
    // What was touched once stays so while the cards are drawn anew.
    const { dataset } = screens.at("[data-cards]");
    const words = () => say(verb === "home-again" && dataset.sure === stop.appointment ? "home-sure" : verb, { who: stop.who });
    const act = ({ target }) => {
      if (verb !== "home-again" || dataset.sure === stop.appointment) return open(stop, one);
      dataset.sure = stop.appointment;
      target.textContent = words();
    };
    part("open").textContent = words();
    part("open").classList.toggle("govuk-button--secondary", inHospital(stop, one));
    part("open").addEventListener("click", act);
  }
  return made;
}

function standing(stop, one) {
  if (inHospital(stop, one)) {
    if (!one) return ["in-hospital", "home-again"];
    return one.state === "sent" ? ["home-said", null] : ["home-to-send", "not-home"];
  }
  if (one?.state === "draft") return ["to-finish", "go-on"];
  if (one?.state === "ready") return ["to-send", "change"];
  if (one?.answer === "checking") return ["being-checked", null];
  if (one) return ["sent", visits.correctable(one) ? "correct" : null];
  return stop.done ? ["sent", null] : ["to-do", "visit-of"];
}

// What waits, and why; whose it is only where her PIN opened it.
export async function waiting(aide, open) {
  const hers = aide ? await visits.hers(aide) : [];
  const waits = hers.filter((one) => one.state === "ready");
  const mine = waits.filter((one) => one.copy).map((one) => line(one, open));
  const ready = (await store.visits()).filter((one) => one.state === "ready");
  if (screens.current() !== "outbox") return;
  const [others, apart] = [ready.length - waits.length, waits.length - mine.length];
  const texts = [
    ...(apart > 0 ? [say("apart", { count: apart })] : []),
    ...(others > 0 ? [say("of-others", { count: others })] : []),
    ...(ready.length === 0 ? [say("nothing-waits")] : []),
  ];
  const list = screens.at("[data-waiting]");
  screens.listed(list, texts);
  list.prepend(...mine);
  for (const item of list.children) item.className = "liaison-list__item";
  screens.told(ready.length === 0 ? "" : ready.some((one) => one.refused) ? say("refused") : said(sending.met.why));
  screens.at("[data-do=send]").hidden = ready.length === 0;
  screens.at("[data-do=sign-in]").hidden = ready.length === 0 || !["sign-in", "forbidden"].includes(sending.met.why);
}

const said = (why) => (why === "" ? "" : say(why));

function line(one, open) {
  const item = document.createElement("li");
  const verb = one.place.kind === "return" ? "not-home" : "change";
  item.append(screens.button(say(verb, { who: one.place.stop.who }), () => open(one.place.stop, one)));
  return item;
}
