// « Rien à signaler » and « Tout fait »: they fill the form visibly, and a second touch takes it back. Nothing is sent
// before « Enregistrer la visite ». Without this script the form works; the two buttons are then hidden.
const form = document.getElementById("visite");

// What « comme d'habitude » is called in each question of state; a question without such an answer is left alone.
const USUAL = new Set(["usual", "meal-all", "drink-normal", "fall-no", "breath-usual", "mood-usual", "legs-no"]);

function toggling(button, inputs) {
  button.hidden = false;
  button.setAttribute("aria-pressed", "false");
  let before = null;
  button.addEventListener("click", () => {
    const all = [...form.querySelectorAll("input[type=radio], input[type=checkbox]")];
    if (before === null) {
      before = all.filter((input) => input.checked);
      for (const input of inputs()) input.checked = true;
    } else {
      for (const input of all) input.checked = before.includes(input);
      before = null;
    }
    button.setAttribute("aria-pressed", String(before !== null));
  });
}

toggling(form.querySelector("[data-action=all-done]"), () => form.querySelectorAll("input[name=tasks]"));
toggling(form.querySelector("[data-action=nothing-to-report]"), () => {
  const present = form.querySelector("input[name=presence][value=present]");
  return [present, ...form.querySelectorAll("input[type=radio]")].filter(
    (input) => input && (input === present || USUAL.has(input.value)),
  );
});

// A visit is sent once: the second touch of an impatient thumb does nothing.
form.addEventListener("submit", (event) => {
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
