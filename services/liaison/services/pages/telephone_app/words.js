// The words of the page stand in its frame, in the language of the page: scripts have none of their own.
const phrases = document.getElementById("phrases").content;
const language = document.documentElement.lang;
const plural = new Intl.PluralRules(language);
const hour = new Intl.DateTimeFormat(language, {
  hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "Europe/Paris",
});
const day = new Intl.DateTimeFormat("sv", { dateStyle: "short", timeZone: "Europe/Paris" }); // 2026-11-29

export function say(name, values = {}) {
  const phrase = phrases.querySelector(`[data-say="${name}"]`);
  const several = "count" in values && plural.select(values.count) !== "one" && phrase.dataset.many;
  return (several || phrase.textContent).replace(/\{(\w+)\}/g, (_, which) => values[which]);
}

export const hhmm = (moment) => hour.format(moment);
export const clock = (moment) => (language === "fr" ? hhmm(moment).replace(":", " h ") : hhmm(moment));
export const dayOf = (moment) => day.format(moment);
