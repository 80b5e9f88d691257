// Nothing that was typed into a form is lost without a word: the browser asks before the page is left. Each form is looked at as it
// stands, so that what is typed and taken back again counts for nothing. The one that is sent is not lost, and a call leaves nothing.
const sent = new WeakSet();
let calls = false;

function differs(field) {
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field.type === "file") return field.files.length > 0;
  if (field.options) return changed(field);
  return "defaultValue" in field && field.type !== "hidden" && field.value !== field.defaultValue;
}

// Of a list without a choice of its own the browser shows the first.
function changed({ options, selectedIndex, multiple }) {
  const own = [...options].filter((one) => one.defaultSelected);
  if (multiple) return [...options].some((one) => one.selected !== one.defaultSelected);
  return options[selectedIndex] !== (own.at(-1) ?? options[0]);
}

// A word that signs in is not work.
const lost = (form) =>
  form.method === "post" && !sent.has(form) && !form.querySelector("[type=password]") && [...form.elements].some(differs);

addEventListener("submit", (event) => {
  if (!event.defaultPrevented) sent.add(event.target);
});
addEventListener("click", (event) => {
  calls = Boolean(event.target.closest?.("a[href^='tel:'], a[href^='sms:'], a[href^='mailto:']"));
});
addEventListener("beforeunload", (event) => {
  if (!calls && [...document.forms].some(lost)) event.preventDefault();
});
addEventListener("pageshow", () => {
  for (const form of document.forms) sent.delete(form);
});
