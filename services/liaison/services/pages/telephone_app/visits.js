// The visits of the aide who is at work: written, finished, taken back. Each is sealed to the service at every touch, so that nothing is
// lost when her tour is erased; beside it stands a copy that her PIN opens, until it is sent.
import { sealed } from "./letters.js";
import * as sending from "./sending.js";
import * as store from "./store.js";
import * as vault from "./vault.js";
import { say } from "./words.js";

// Her visits, with where they were: [{visit, state, …, place: {stop, permit, key, alert, kind, corrects, turn, before}}]. `kind`: of what is
// told beside a visit (`aside`). `corrects`: the
// number of the visit that it tells anew, for the `turn`th time; `before`: what that visit had said.
export async function hers(aide) {
  const mine = (await store.visits()).filter((one) => one.aide === aide.id && one.place);
  return Promise.all(mine.map(async (one) => ({ ...one, place: await vault.decrypted(aide.key, one.place) })));
}

// Each visit once, as she told it last.
export function latest(mine) {
  const found = new Map();
  for (const one of [...mine].sort((a, b) => (a.place.turn ?? 0) - (b.place.turn ?? 0))) found.set(root(one), one);
  return [...found.values()];
}

const root = ({ visit, place }) => place.corrects ?? visit;

// One name for all that tells of a visit: where one is being written no other is begun.
export const nameOf = (one) => one.place.stop.appointment || root(one);

export const correctable = (one) =>
  one.state === "sent" && Boolean(one.copy) && !one.place.kind && Date.now() - one.at < vault.CORRECTED_WITHIN;

// A visit of this stop, as it is begun. What she is permitted is that of now, also when the tour is renewed meanwhile.
export const begun = (aide, stop) => ({
  visit: crypto.randomUUID(),
  place: { stop, permit: aide.tour.permit, key: aide.tour.key, asked: stop.asked, alert: false },
  form: {},
  typed: false,
});

// What is asked in a visit: the version that it was begun on, as it came with a tour, or the one that this page came with.
export function formOf(aide, { place }) {
  const drawn = aide.tour.forms?.[place.asked];
  if (drawn) return drawn;
  const own = document.querySelector("template[data-form]");
  place.asked = own.dataset.form;
  const [questions, alerting] = own.content.children;
  return { questions: questions.innerHTML, alerting: alerting.innerHTML };
}

// Somebody of the tour, visited beside what was planned.
export const beside = (stop, said) => ({ ...stop, appointment: "", at: "", instruction: said, done: false, paused: false });

// What is told beside a visit of somebody, `kind`: "opposition", "report", or "return" from hospital.
export function aside(aide, stop, kind) {
  const made = begun(aide, beside(stop, say(`${kind}-said`)));
  return { ...made, place: { ...made.place, kind } };
}

// One that was sent, to be told anew under the permit that it was written with.
export async function corrected(aide, one) {
  const { form } = await vault.decrypted(aide.key, one.copy);
  const { stop, permit, key, asked, turn = 0 } = one.place;
  return {
    visit: crypto.randomUUID(),
    place: { stop, permit, key, asked, alert: false, corrects: root(one), turn: turn + 1, before: form },
    form,
    typed: false,
  };
}

// The same, from what is kept of it.
export async function taken(aide, { visit, place, copy }) {
  return { visit, place, ...(await vault.decrypted(aide.key, copy)) };
}

// Whether it tells of something for which she was asked to call, and had not told `before`. It is an alert of hers, no reading of
// her answers.
const CALLS = { alert: () => true, presence: (value) => value === "door-closed" };
export const alerting = (form, before = {}) =>
  Object.entries(CALLS).some(([name, calls]) =>
    (form[name] ?? []).some((value) => calls(value) && !(before[name] ?? []).includes(value)),
  );

// Writes it down. `finished`: it may leave once she cannot take it back any more. Answers false when it has left already.
export async function written(aide, { visit, place, form, typed }, finished) {
  const letter = {
    visit,
    permit: place.permit,
    patient: place.stop.patient,
    appointment: place.stop.appointment,
    form: finished ? form : { ...form, unfinished: ["yes"] },
    written: new Date().toISOString(),
    start_typed: typed,
    ...(place.corrects && { corrects: place.corrects }),
    ...(place.kind ? { kind: place.kind } : place.asked && { asked: place.asked }),
  };
  return store.putVisit({
    visit,
    aide: aide.id,
    state: finished ? "ready" : "draft",
    after: sending.undoUntil(),
    since: Date.now(),
    ...(await sealed(letter, place.key)),
    place: await vault.encrypted(aide.key, { ...place, alert: alerting(form, place.before) }),
    // Of a report nothing stays that could be read here, not even with her code.
    ...(place.kind !== "report" && { copy: await vault.encrypted(aide.key, { form, typed }) }),
  });
}

// Forgets what is finished and has not left. Answers whether it is forgotten; undefined while something is on its way.
export const dropped = (visit) => sending.between(() => store.drop(visit, "ready"));

// Takes back what is finished and has not left: it is being written again. Answers it; undefined while a visit is on its way; null
// when it is gone. `mine`: what she has just saved, as the page still has it, where no copy was kept.
export async function takenBack(aide, visit, mine = null) {
  const found = await sending.between(async () => {
    const free = await store.changeVisit(visit, (one) =>
      one.state === "ready" && (one.copy || mine) ? { ...one, state: "draft" } : undefined,
    );
    return free ?? null;
  });
  if (!found) return found;
  if (!found.copy) {
    await store.drop(visit);
    return mine;
  }
  const back = await taken(aide, { ...found, place: await vault.decrypted(aide.key, found.place) });
  await written(aide, back, false);
  return back;
}
