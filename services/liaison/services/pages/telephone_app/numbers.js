// Whom to call at this hour: the service's own numbers, as its manager wrote them, by the clock of Paris; or else the one of the
// directory, which has no name.
const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const paris = new Intl.DateTimeFormat("en", { weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "Europe/Paris" });

export function numberAt({ phone, numbers }, now) {
  const part = Object.fromEntries(paris.formatToParts(now).map(({ type, value }) => [type, value]));
  const [day, minute] = [DAYS.indexOf(part.weekday) + 1, 60 * Number(part.hour) + Number(part.minute)];
  const on = (days, which) => days.includes(String(which));
  // One that ends where it begins, or before, goes on into the next day.
  const holds = ({ days, begins, ends }) =>
    begins < ends
      ? on(days, day) && begins <= minute && minute < ends
      : (on(days, day) && minute >= begins) || (on(days, day - 1 || 7) && minute < ends % 1440);
  return numbers.find(holds) ?? { name: "", phone };
}
