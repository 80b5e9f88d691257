// What is told beside a visit: that the person opposes, or a suspicion of abuse. It is kept when it is saved, and not before: nothing is
// closed by a touch on the way, and nothing of a suspicion stays where another might see it.
import * as screens from "./screens.js";
import * as store from "./store.js";
import { fields, fill } from "./visit.js";
import * as visits from "./visits.js";
import { say } from "./words.js";

// As visit.open.
export function open(aide, visit, done) {
  const { stop, kind } = visit.place;
  const leave = () => done(null);
  const drop = async () => {
    await store.drop(visit.visit);
    done(null);
  };
  screens.show(kind, { heading: say(kind, { who: stop.who }), acts: { home: leave, drop } });
  const form = screens.at("form");
  const whole = kind === "report" ? reporting(aide) : opposing(aide, stop, form);
  fill(form, visit.form);
  form.dispatchEvent(new Event("change"));
  // In this page alone: her tour may close by itself while she writes.
  form.addEventListener("input", () => (visit.form = fields(form)));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    visit.form = fields(form);
    if (!whole(visit.form)) return screens.told(say(`${kind}-what`));
    const button = form.querySelector("[type=submit]");
    button.disabled = true;
    try {
      const free = await visits.written(aide, visit, true);
      done(free ? visit : false);
    } catch {
      button.disabled = false;
      screens.told(say("full"));
    }
  });
  return leave;
}

// What stops, before it is recorded: of what she has chosen, and what that means for the tour that is here.
function opposing(aide, { patient }, form) {
  const count = aide.tour.stops.filter((stop) => stop.patient === patient && !stop.done).length;
  form.addEventListener("change", () => {
    const act = new FormData(form).get("act");
    screens.at("[data-stops]").hidden = act === null;
    for (const list of form.querySelectorAll("[data-stops-of]")) list.hidden = !list.dataset.stopsOf.split(" ").includes(act);
    screens.at("[data-named]").hidden = act !== "one";
    const line = screens.at("[data-coming]");
    line.hidden = count === 0 || !["all", "service"].includes(act);
    line.textContent = say("coming", { count });
  });
  return ({ act, means, named }) => Boolean(act && means && (act[0] !== "one" || named));
}

// Those whom the service has designated, none chosen beforehand: she may have to avoid one of them.
function reporting(aide) {
  const readers = aide.tour.readers ?? [];
  screens.at("[data-nobody]").hidden = readers.length > 0;
  screens.at("form").hidden = readers.length === 0;
  screens.at("[data-readers]").replaceChildren(
    ...readers.map(({ reference, name }, index) => {
      const made = screens.cloned("choice");
      const [input, label] = [made.querySelector("input"), made.querySelector("label")];
      [input.name, input.value, input.id] = ["to", reference, `to-${index}`];
      [label.htmlFor, label.textContent] = [input.id, name];
      return made;
    }),
  );
  return ({ to, words }) => Boolean(to && words);
}
