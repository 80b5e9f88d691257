// An app of another vendor, as an example: SMART App Launch 2.2 in one file, without a library.
// It is opened on a record (?iss=…&launch=…), or by itself; both end here again, with ?code=…&state=…
const app = document.getElementById("app");
const { fhir: base, client, redirect, lang } = app.dataset;
const kept = "example-app";

const show = (state) => {
  for (const one of app.querySelectorAll("[data-state]")) one.hidden = one.dataset.state !== state;
};
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));
const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const recall = () => JSON.parse(sessionStorage.getItem(kept) ?? "null");
const remember = (what) => sessionStorage.setItem(kept, JSON.stringify(what));

async function discover(iss) {
  const answer = await fetch(`${iss}/.well-known/smart-configuration`, { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error("discovery");
  return answer.json();
}

// Sends the person to the authorization server, with PKCE (RFC 7636) and a state that only this tab knows.
async function ask(iss, launch) {
  if (iss !== base) throw new Error("this app was not registered at that server");
  const { authorization_endpoint: endpoint, token_endpoint: token, issuer } = await discover(iss);
  const verifier = random();
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const state = random();
  remember({ iss, token, issuer, verifier, state });
  const asked = new URLSearchParams({
    response_type: "code",
    client_id: client,
    redirect_uri: redirect,
    scope: `${launch ? "launch" : "launch/patient"} openid fhirUser offline_access patient/Patient.rs patient/Observation.rs`,
    state,
    aud: iss,
    code_challenge: base64url(new Uint8Array(digest)),
    code_challenge_method: "S256",
    ...(launch ? { launch } : {}),
  });
  location.assign(`${endpoint}?${asked}`);
}

async function redeem(form) {
  const begun = recall();
  const answer = await fetch(begun.token, { method: "POST", body: new URLSearchParams({ client_id: client, ...form }) });
  if (!answer.ok) return false;
  remember({ ...begun, granted: await answer.json() });
  return true;
}

async function read(path) {
  const { iss, granted } = recall();
  return fetch(`${iss}/${path}`, {
    headers: { authorization: `Bearer ${granted.access_token}`, accept: "application/fhir+json" },
  });
}

function line(parent, tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  parent.append(made);
  return made;
}

// What was refused on the consent page is not asked for: the answer says which scopes remain (RFC 6749 §5.1).
const may = (type) => (recall().granted.scope ?? "").split(" ").some((one) => one.startsWith(`patient/${type}.`));

async function draw() {
  const { granted } = recall();
  const answer = may("Patient") ? await read(`Patient/${granted.patient}`) : null;
  if (answer?.status === 401) return show("withdrawn");
  document.getElementById("beginning").hidden = true;
  const patient = answer?.ok ? await answer.json() : {};
  const name = (patient.name ?? []).find((one) => one.use === "official") ?? patient.name?.[0];
  document.getElementById("name").textContent = name ? `${(name.given ?? []).join(" ")} ${name.family ?? ""}` : "—";
  document.getElementById("birth").textContent = patient.birthDate ?? "";
  if (!(await measures(granted.patient))) return show("withdrawn");
  const context = document.getElementById("context");
  context.replaceChildren();
  for (const part of ["scope", "expires_in", "intent", "encounter", "need_patient_banner", "fhirContext"]) {
    if (!(part in granted)) continue;
    const row = line(context, "div", "");
    row.className = "govuk-summary-list__row";
    line(row, "dt", part).className = "govuk-summary-list__key";
    line(row, "dd", JSON.stringify(granted[part])).className = "govuk-summary-list__value";
  }
  document.getElementById("record").hidden = false; // whole, or not at all: half a record reads as all there is
  show("");
}

// A number in the reader's own writing; a panel, such as blood pressure, is its parts.
function valueOf(one) {
  const parts = (one.component ?? [one]).map((part) => part.valueQuantity).filter(Boolean);
  if (!parts.length) return "";
  return `${parts.map(({ value }) => value.toLocaleString(lang)).join("/")} ${parts[0].unit ?? ""}`.trim();
}

// Whether the access still stands.
async function measures(patient) {
  const list = document.getElementById("measures");
  list.replaceChildren();
  const path = `Observation?patient=${patient}&category=vital-signs&_sort=-date&_count=10`;
  const answer = may("Observation") ? await read(path) : null;
  if (answer?.status === 401) return false;
  const found = answer?.ok ? ((await answer.json()).entry ?? []) : [];
  for (const { resource: one } of found) {
    const what = one.code?.text ?? one.code?.coding?.[0]?.display ?? one.code?.coding?.[0]?.code;
    const when = one.effectiveDateTime ? new Date(one.effectiveDateTime).toLocaleDateString(lang) : "";
    line(list, "li", [when, what, valueOf(one)].filter(Boolean).join(" · "));
  }
  document.getElementById("none").hidden = found.length > 0;
  return true;
}

async function start() {
  const query = new URLSearchParams(location.search);
  const begun = recall();
  if (query.has("launch")) return ask(query.get("iss"), query.get("launch"));
  if (query.has("code") || query.has("error")) {
    // Ours only if it brings back our state, from the server that we asked (RFC 9207).
    const ours = begun && !begun.granted && query.get("state") === begun.state && query.get("iss") === begun.issuer;
    history.replaceState(null, "", location.pathname);
    if (ours && query.has("error")) return show("refused");
    if (ours) {
      const code = { grant_type: "authorization_code", code: query.get("code") };
      if (!(await redeem({ ...code, redirect_uri: redirect, code_verifier: begun.verifier }))) return show("failed");
    }
  }
  return recall()?.granted ? draw() : show("closed");
}

async function carefully(work) {
  try {
    show("waiting");
    await work();
  } catch {
    show("failed");
  }
}

document.getElementById("open").addEventListener("click", () => carefully(() => ask(base, "")));
document.getElementById("again").addEventListener("click", () =>
  carefully(async () => {
    const { granted } = recall();
    const token = granted.refresh_token;
    if (token && !(await redeem({ grant_type: "refresh_token", refresh_token: token }))) {
      document.getElementById("record").hidden = true;
      document.getElementById("beginning").hidden = false;
      sessionStorage.removeItem(kept);
      return show("withdrawn");
    }
    return draw();
  }),
);
carefully(start);
