// What the page asks of the service. Each answer is {why, told}: `why` is "" when all is well, else "offline", "sign-in",
// "forbidden", "malformed" or "later"; whatever is not a whole answer of ours is "later".
import * as store from "./store.js";

const PATIENCE = 30_000;

async function asked(path, options) {
  let answer;
  try {
    answer = await fetch(path, {
      ...options,
      cache: "no-store",
      redirect: "error",
      signal: AbortSignal.timeout(PATIENCE),
    });
  } catch {
    return { why: "offline" };
  }
  try {
    const told = await answer.json();
    if (answer.ok) return { why: "", told };
    return { why: ["sign-in", "forbidden", "malformed"].includes(told.why) ? told.why : "later", told };
  } catch {
    return { why: "later" };
  }
}

const posted = (path, csrf, body) =>
  asked(path, {
    method: "POST",
    headers: { "content-type": "application/json", "x-csrf-token": csrf },
    body: JSON.stringify(body),
  });

// Who is signed in here now: {id, name, csrf, enrolled}. A telephone that is one of the service's no longer forgets its tours as soon
// as it hears of it; what was written stays.
export async function who() {
  const { why, told } = await asked("/telephone/qui", {});
  if (told?.enrolled !== false) return { why, told };
  for (const { id } of await store.aides()) await store.forgetAide(id);
  return { why: why === "sign-in" ? "not-enrolled" : why, told };
}

export const tour = (csrf, device) => posted("/telephone/tournee", csrf, { device });
export const bring = (csrf, { visit, kid, sealed }) =>
  posted("/telephone/visites", csrf, { visit, kid, sealed, clock: new Date().toISOString() });

// Ends the session here. Answers whether it is ended.
export async function leave(csrf) {
  try {
    await fetch("/deconnexion", {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ csrf }),
      redirect: "manual",
      signal: AbortSignal.timeout(PATIENCE),
    });
  } catch {
    return false;
  }
  return ["sign-in", "not-enrolled"].includes((await who()).why);
}
