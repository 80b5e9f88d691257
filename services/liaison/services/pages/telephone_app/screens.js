// One screen at a time, cloned from the frame. What is shown of a person is put in as text, never as markup.
import { numberAt } from "./numbers.js";
import { say } from "./words.js";

const main = document.getElementById("contenu");
let service = { phone: "", numbers: [] };
let name = "";

export const callsAt = (told) => (service = told);
export const called = () => numberAt(service, new Date());
export const current = () => name;
export const cloned = (name) => document.querySelector(`template[data-screen="${name}"]`).content.cloneNode(true);
export const at = (selector) => main.querySelector(selector);

// `acts`: what its buttons do, by data-do. `heading`: where the frame has none of its own.
export function show(which, { heading, acts = {} } = {}) {
  const screen = cloned(which);
  if (heading) screen.querySelector("[data-heading]").textContent = heading;
  for (const button of screen.querySelectorAll("[data-do]")) button.addEventListener("click", acts[button.dataset.do]);
  calls(screen);
  screen.querySelector("[data-alert]")?.addEventListener("click", () => (at("#alerte").open = true));
  main.replaceChildren(screen);
  const first = name === "";
  name = which;
  const title = main.querySelector("h1");
  document.title = `${title.textContent} – Liaison`;
  scrollTo(0, 0);
  if (!first) title.focus({ preventScroll: true });
}

// « Alerte »: the calls, and a text without a word about anybody.
function calls(screen) {
  const { name: who, phone } = called();
  const number = phone.replaceAll(" ", "");
  if (number === "") return;
  const [call, text] = [screen.querySelector("[data-call]"), screen.querySelector("[data-text]")];
  [call.href, call.hidden] = [`tel:${number}`, false];
  if (who) call.textContent = say("call", { who });
  [text.href, text.hidden] = [`sms:${number}?body=${encodeURIComponent(say("sms"))}`, false];
}

// An alert that was written and has not left is said so, with the calls open.
export function notGone(whether) {
  at("[data-not-gone]").hidden = !whether;
  if (whether) at("#alerte").open = true;
}

export function told(text) {
  const line = at("[data-said]");
  [line.textContent, line.hidden] = [text, text === ""];
}

// What a button does that asks once more, in these words: a second touch means it.
export const sure = (words, act) => ({ target }) => {
  if (target.dataset.sure) return act();
  target.dataset.sure = "yes";
  target.textContent = say(words);
};

export function button(text, act) {
  const made = document.createElement("button");
  Object.assign(made, { type: "button", className: "govuk-button govuk-button--secondary", textContent: text });
  made.addEventListener("click", act);
  return made;
}

export function listed(list, texts) {
  list.replaceChildren(
    ...texts.map((text) => {
      const item = document.createElement("li");
      item.textContent = text;
      return item;
    }),
  );
}
