// Visite: « À savoir » first, the questions, and the keeping of the answers at every touch.
import { usable } from "../static/visit_form.js";
import * as screens from "./screens.js";
import * as store from "./store.js";
import * as visits from "./visits.js";
import { hhmm, say } from "./words.js";

const NUMBER = /^-?[0-9]{1,6}([.,][0-9]{1,4})?$/;
const WHOLE = /^-?[0-9]{1,6}$/;
const [AHEAD, LATE, DAY] = [5, 6 * 60, 24 * 60]; // minutes

// `done(finished)`: the visit that she has saved, null when she leaves it as it is, false when it had left already; `beside(kind)`: she has
// something else to tell of this person. Answers how to leave.
export function open(aide, visit, done, beside) {
  const { stop, corrects, before } = visit.place;
  const heading = say(corrects ? "correct" : "visit-of", { who: stop.who });
  screens.show("visit", { heading, acts: {
    home: () => leave(),
    drop: screens.sure("really", () => drop()),
    oppose: () => leave(() => beside("opposition")),
    report: () => leave(() => beside("report")),
  } });
  screens.at("[data-correcting]").hidden = !corrects;
  screens.at("[data-do=drop]").hidden = Boolean(stop.appointment) && !corrects;
  screens.at("[data-do=drop]").textContent = say(corrects ? "as-before" : "did-not-happen");
  facts(stop);
  const form = screens.at("#visite");
  shown(form, visits.formOf(aide, visit));
  lastOnes(form, stop);
  form.elements.start.value = hhmm(Date.now());
  fill(form, visit.form);
  const doubted = new Map(Object.entries(before ?? {}).map(([link, [value]]) => [link, value])); // she has looked at it already
  let writing = Promise.resolve(true);
  let [kept, wanted] = [true, null];

  // One at a time, in their order: what is written last is what stands.
  function keep(finished) {
    Object.assign(visit, { form: fields(form) });
    screens.notGone(visits.alerting(visit.form, before));
    wanted = { visit: structuredClone(visit), finished };
    writing = writing.then(async () => {
      if (wanted === null) return kept;
      const { visit, finished } = wanted;
      wanted = null;
      try {
        kept = await visits.written(aide, visit, finished);
      } catch {
        kept = null;
      }
      if (screens.current() === "visit") screens.told(kept === null ? say("full") : "");
      return kept;
    });
    return writing;
  }

  // What could not be kept is said once more before she leaves it.
  async function leave(next = () => done(null)) {
    if ((await writing) !== null) return next();
    [writing, kept] = [Promise.resolve(true), true];
  }

  // What is typed goes with it. What was sent stands.
  async function drop() {
    await writing;
    await store.drop(visit.visit);
    done(null);
  }

  usable(form, () => keep(false));
  screens.notGone(visits.alerting(visit.form, before));
  form.elements.start.addEventListener("input", () => (visit.typed = true));
  form.addEventListener("change", () => keep(false));
  form.elements.note.addEventListener("input", () => keep(false));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const wrong = problems(form, stop, doubted);
    for (const [link, why] of wrong) if (why === say("far")) doubted.set(link, form.elements[link].value.trim());
    if (point(form, wrong)) return;
    const free = await keep(true);
    if (free !== null) done(free ? visit : false);
  });
  return leave;
}

function facts(stop) {
  const now = new Date();
  const [unread, { name, phone }] = [screens.at("[data-unread]"), screens.called()];
  unread.hidden = !(stop.unread ?? []).some(([begins, ends]) => new Date(begins) <= now && now < new Date(ends));
  if (phone) unread.firstChild.textContent = say(name ? "nobody-reads-call" : "nobody-reads", { who: name, phone });
  const [known, unknown] = ["[data-known]", "[data-unknown]"].map(screens.at);
  screens.listed(known, stop.known);
  known.hidden = stop.known.length === 0;
  unknown.hidden = !known.hidden;
}

// What the form asks, as the service has drawn it: it came with her tour, or with this page.
function shown(form, { questions, alerting }) {
  form.querySelector("[data-questions]").innerHTML = questions;
  form.querySelector("[data-alerting]").innerHTML = alerting;
}

function lastOnes(form, stop) {
  for (const group of form.querySelectorAll("[data-gap]")) {
    const told = stop.last?.[group.dataset.question];
    const line = group.querySelector("[data-last]");
    line.hidden = told === undefined;
    if (told) line.textContent = say("last-measure", { said: told[1] });
  }
}

export function fields(form) {
  const found = {};
  for (const [name, value] of new FormData(form)) if (value.trim() !== "") (found[name] ??= []).push(value.trim());
  return found;
}

export function fill(form, answers) {
  for (const input of form.querySelectorAll("input, textarea")) {
    const given = answers[input.name];
    if (["radio", "checkbox"].includes(input.type)) input.checked = Boolean(given?.includes(input.value));
    else if (given) input.value = given[0];
    if (given?.[0]) unfolded(input); // what she has answered is seen
  }
}

function unfolded(element) {
  for (let part = element.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
}

// What is wrong, by question, in words. The service asks the same again.
function problems(form, stop, doubted) {
  const answers = fields(form);
  const found = new Map();
  for (const group of form.querySelectorAll("[data-question][data-kind]")) {
    const { dataset } = group;
    const given = answers[dataset.question]?.[0];
    if (group.closest("[data-question][hidden]")) continue;
    if (given === undefined) {
      if ("required" in dataset) found.set(dataset.question, say("required"));
      continue;
    }
    const measured = ["decimal", "integer", "quantity"].includes(dataset.kind);
    const why = measured ? number(given, dataset) : dataset.kind === "date" ? day(given, dataset) : "";
    if (why) found.set(dataset.question, say(why));
    else if (far(given, dataset, stop.last) && doubted.get(dataset.question) !== given) found.set(dataset.question, say("far"));
  }
  if (answers.start && notYet(answers.start[0])) found.set("start", say("not-yet"));
  return found;
}

function number(text, { kind, min, max }) {
  if (!(kind === "integer" ? WHOLE : NUMBER).test(text)) return "unreadable";
  const value = Number(text.replace(",", "."));
  return value < Number(min ?? -Infinity) || value > Number(max ?? Infinity) ? "out-of-bounds" : "";
}

function day(text, { min, max }) {
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text)) return "unreadable";
  return text < (min ?? text) || text > (max ?? text) ? "out-of-bounds-day" : "";
}

// Whether a measure is so far from the last one that she is asked to look again.
function far(text, { gap, question }, last) {
  const told = gap && last?.[question];
  return Boolean(told) && Math.abs(Number(text.replace(",", ".")) - told[0]) > Number(gap);
}

// An hour that is still to come; just after midnight, 23:50 was the evening before. In minutes, on the clock of Paris.
function notYet(text) {
  const minutes = (hour) => hour.split(":").reduce((sum, part) => 60 * sum + Number(part), 0);
  const ahead = minutes(text) - minutes(hhmm(Date.now()));
  return ahead > AHEAD && DAY - ahead > LATE;
}

// Points at what is wrong; answers whether anything is.
function point(form, wrong) {
  for (const old of form.querySelectorAll("[data-question] .govuk-error-message")) old.remove();
  for (const group of form.querySelectorAll("[data-question][data-kind]")) {
    const text = wrong.get(group.dataset.question);
    group.classList.toggle("govuk-form-group--error", text !== undefined);
    const asked = group.querySelector("fieldset, input, textarea");
    if (text === undefined) {
      if (asked.getAttribute("aria-describedby")?.endsWith("-erreur")) asked.removeAttribute("aria-describedby");
      continue;
    }
    const line = document.createElement("p");
    Object.assign(line, { className: "govuk-error-message", id: `${group.dataset.question}-erreur`, textContent: text });
    group.querySelector("legend, label").after(line);
    asked.setAttribute("aria-describedby", line.id);
    unfolded(group.parentElement);
  }
  const summary = screens.at("[data-problems]");
  summary.hidden = wrong.size === 0;
  summary.querySelector("ul").replaceChildren(...[...wrong].map(([link, text]) => pointer(form, link, text)));
  if (wrong.size) summary.scrollIntoView();
  return wrong.size > 0;
}

function pointer(form, link, text) {
  const group = form.querySelector(`[data-question="${link}"]`);
  const line = document.createElement("a");
  line.href = `#${link}`;
  line.textContent = `${group.querySelector("legend, label").textContent}${document.documentElement.lang === "fr" ? " : " : ": "}${text}`;
  const item = document.createElement("li");
  item.append(line);
  return item;
}
