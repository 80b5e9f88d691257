// The form of a visit, on the page with a network and on the telephone without one. « Rien à signaler » and « Tout fait » fill
// it visibly, and a second touch takes it back.

// Whether an answer meets a condition of another question (enableWhen, R4), as the service reads it in protocols/enabling.py.
const COMPARED = {
  "=": (one, wanted) => one === wanted,
  "!=": (one, wanted) => one !== wanted,
  ">": (one, wanted) => one > wanted,
  "<": (one, wanted) => one < wanted,
  ">=": (one, wanted) => one >= wanted,
  "<=": (one, wanted) => one <= wanted,
};

function meets(given, operator, wanted) {
  if (operator === "exists") return given.length > 0 === wanted;
  return given.some((text) => {
    if (typeof wanted === "boolean") return COMPARED[operator](text === "true", wanted);
    if (typeof wanted === "number") {
      const value = Number(text.replace(",", "."));
      return !Number.isNaN(value) && COMPARED[operator](value, wanted);
    }
    return COMPARED[operator](text, wanted);
  });
}

// `touched` is called after either button has changed answers.
export function usable(form, touched = () => {}) {
  const inputs = (name) => [...form.querySelectorAll(`input[name="${name}"]`)];

  function toggling(action, fill) {
    const button = form.querySelector(`[data-action=${action}]`);
    if (button === null) return; // a form without tasks
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
    for (const { dataset } of form.querySelectorAll("[data-usual]")) {
      if (inputs(dataset.question).some((input) => input.checked)) continue;
      for (const input of inputs(dataset.question)) input.checked = input.value === dataset.usual;
    }
  });

  const conditional = [...form.querySelectorAll("[data-asked-when]")].map((part) => ({
    part,
    conditions: JSON.parse(part.dataset.askedWhen),
    how: "any" in part.dataset ? "some" : "every",
  }));

  // What is not asked goes away, and counts for nothing: neither for other questions nor for the service.
  let filled = new FormData(form);
  function given(name) {
    const first = form.querySelector(`[name="${name}"]`);
    if (first === null || first.closest("[data-question][hidden]")) return [];
    return filled.getAll(name).map((text) => text.trim()).filter(Boolean);
  }

  // Until somebody has said whether the person is there, what is asked of who is there is shown.
  const holds = ([question, operator, wanted]) => {
    const answers = given(question);
    return (question === "presence" && answers.length === 0) || meets(answers, operator, wanted);
  };

  function follow() {
    filled = new FormData(form);
    const presence = given("presence")[0];
    const away = presence !== undefined && presence !== "present";
    for (let turn = 0; turn < conditional.length + 1; turn += 1) {
      const changed = conditional.filter(({ part, conditions, how }) => {
        const before = part.hidden;
        part.hidden = !conditions[how](holds);
        return part.hidden !== before;
      });
      if (changed.length === 0) break;
    }
    const rest = form.querySelector("[data-question=others]");
    if (rest) rest.hidden = [...rest.querySelectorAll("[data-question]")].every((part) => part.hidden);
    for (const button of form.querySelectorAll(".liaison-actions [data-action]")) button.hidden = away;
    for (const part of form.querySelectorAll("[data-when]")) part.hidden = presence !== part.dataset.when;
  }
  form.addEventListener("change", follow);
  form.addEventListener("input", follow);
  follow();

  // « Alerte » at the bottom of the screen opens the part it leads to.
  form.querySelector("[data-action=alert]")?.addEventListener("click", () => {
    form.querySelector("#alerte").open = true;
  });
}
