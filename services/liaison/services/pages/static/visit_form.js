// The form of a visit, on the page with a network and on the telephone without one. « Rien à signaler » and « Tout fait » fill
// it visibly, and a second touch takes it back.

// What « comme d'habitude » is called in each of the questions that every visit asks.
const USUAL = {
  general: "usual", meal: "meal-all", drink: "drink-normal", fall: "fall-no", breath: "breath-usual",
};
// Nobody answers the door: what is asked of someone who is there goes away, and is not sent.
const ALWAYS = new Set(["presence", "note", "alert", "called"]);

// `touched` is called after either button has changed answers.
export function usable(form, touched = () => {}) {
  const inputs = (name) => [...form.querySelectorAll(`input[name="${name}"]`)];

  function toggling(action, fill) {
    const button = form.querySelector(`[data-action=${action}]`);
    button.hidden = false;
    button.setAttribute("aria-pressed", "false");
    let before = null;
    button.addEventListener("click", () => {
      const all = [...form.querySelectorAll("input[type=radio], input[type=checkbox]")];
      if (before === null) {
        before = new Set(all.filter((input) => input.checked));
        fill();
      } else {
        for (const input of all) input.checked = before.has(input);
        before = null;
      }
      button.setAttribute("aria-pressed", String(before !== null));
      follow();
      touched();
    });
  }

  function present() {
    for (const input of inputs("presence")) input.checked = input.value === "present";
  }

  toggling("all-done", () => {
    present();
    for (const input of inputs("tasks")) input.checked = true;
  });
  // Never over an answer that was given: what the aide has said stands.
  toggling("nothing-to-report", () => {
    present();
    for (const [name, usual] of Object.entries(USUAL)) {
      if (inputs(name).some((input) => input.checked)) continue;
      for (const input of inputs(name)) input.checked = input.value === usual;
    }
  });

  const asked = [...form.querySelectorAll("[data-question]")].filter((part) => !ALWAYS.has(part.dataset.question));
  function follow() {
    const chosen = inputs("presence").find((input) => input.checked);
    const away = chosen !== undefined && chosen.value !== "present";
    for (const part of asked) part.hidden = away;
    for (const button of form.querySelectorAll(".liaison-actions [data-action]")) button.hidden = away;
    for (const part of form.querySelectorAll("[data-when]")) part.hidden = chosen?.value !== part.dataset.when;
  }
  for (const input of inputs("presence")) input.addEventListener("change", follow);
  follow();

  // « Alerte » at the bottom of the screen opens the part it leads to.
  form.querySelector("[data-action=alert]").addEventListener("click", () => {
    form.querySelector("#alerte").open = true;
  });
}
