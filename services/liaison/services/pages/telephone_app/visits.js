// The visits of the aide who is at work: written, finished, taken back. Each is sealed to the service at every touch, so that nothing is
// lost when her tour is erased; beside it stands a copy that her PIN opens, until it is sent.
import { sealed } from "./letters.js";
import * as sending from "./sending.js";
import * as store from "./store.js";
import * as vault from "./vault.js";

// Her visits, with where they were: [{visit, state, …, place: {stop, permit, key, alert}}]
export async function hers(aide) {
  const mine = (await store.visits()).filter((one) => one.aide === aide.id && one.place);
  return Promise.all(mine.map(async (one) => ({ ...one, place: await vault.decrypted(aide.key, one.place) })));
}

// A visit of this stop, as it is begun. What she is permitted is that of now, also when the tour is renewed meanwhile.
export const begun = (aide, stop) => ({
  visit: crypto.randomUUID(),
  place: { stop, permit: aide.tour.permit, key: aide.tour.key, alert: false },
  form: {},
  typed: false,
});

// The same, from what is kept of it.
export async function taken(aide, { visit, place, copy }) {
  return { visit, place, ...(await vault.decrypted(aide.key, copy)) };
}

// Whether it tells of something for which she was asked to call. It is an alert of hers, no reading of her answers.
export const alerting = (form) => Boolean(form.alert) || (form.presence ?? []).includes("door-closed");

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
  };
  return store.putVisit({
    visit,
    aide: aide.id,
    state: finished ? "ready" : "draft",
    after: sending.undoUntil(),
    ...(await sealed(letter, place.key)),
    place: await vault.encrypted(aide.key, { ...place, alert: alerting(form) }),
    copy: await vault.encrypted(aide.key, { form, typed }),
  });
}

// Takes back what is finished and has not left: it is being written again. Answers it; undefined while a visit is on its way; null
// when it is gone.
export async function takenBack(aide, visit) {
  const found = await sending.between(async () => {
    const free = await store.changeVisit(visit, (one) =>
      one.state === "ready" && one.copy ? { ...one, state: "draft" } : undefined,
    );
    return free ?? null;
  });
  if (!found) return found;
  const back = await taken(aide, { ...found, place: await vault.decrypted(aide.key, found.place) });
  await written(aide, back, false);
  return back;
}
