// @medplum/core (npm, Medplum): a whole round, as a backend and as a person's app.
import { webcrypto } from "node:crypto";
import { MedplumClient } from "@medplum/core";
import { assertion, next, tell } from "./told.mjs";

const { fhir, issuer, client: registered, app, redirect, patient, observation, transaction } = await next();

// The library is made for browsers: it makes the PKCE verifier with window.crypto and keeps it in sessionStorage.
const kept = new Map();
globalThis.sessionStorage = {
  getItem: (key) => kept.get(key) ?? null,
  setItem: (key, value) => kept.set(key, String(value)),
  removeItem: (key) => kept.delete(key),
  clear: () => kept.clear(),
};

globalThis.crypto ??= webcrypto;
globalThis.window = globalThis;

const discovered = await (await fetch(`${fhir}/.well-known/smart-configuration`)).json();
const place = {
  baseUrl: `${issuer}/`,
  fhirUrlPath: "fhir",
  authorizeUrl: discovered.authorization_endpoint,
  tokenUrl: discovered.token_endpoint,
  cacheTime: 0,
};

const medplum = new MedplumClient(place);
await medplum.startJwtAssertionLogin(assertion(registered, discovered.token_endpoint));
tell({ authenticated: medplum.isAuthenticated(0) });

const read = await medplum.readResource("Patient", patient);
const referred = await medplum.readReference({ reference: `Patient/${patient}` });
tell({ read: read.id, referred: referred.id });

const found = [];
for await (const page of medplum.searchResourcePages("Observation", { patient, _count: 7, _sort: "-date" })) {
  found.push(...page.map((resource) => resource.id));
}
const counted = await medplum.search("Observation", { patient, _summary: "count" });
const one = await medplum.searchOne("Observation", { patient, _sort: "-date" });
tell({ found: found.length, distinct: new Set(found).size, total: counted.total, newest: one.id === found[0] });

const made = await medplum.createResource(observation);
const changed = await medplum.updateResource({ ...made, valueQuantity: { ...made.valueQuantity, value: 72 } });
const first = await medplum.readVersion("Observation", made.id, "1");
const history = await medplum.readHistory("Observation", made.id);
tell({
  made: made.meta.versionId,
  changed: changed.meta.versionId,
  first: first.valueQuantity.value,
  history: history.entry.length,
});

const patched = await medplum.patchResource("Observation", made.id, [
  { op: "replace", path: "/valueQuantity/value", value: 73.5 },
]);
tell({ patched: patched.meta.versionId, value: patched.valueQuantity.value });

const answer = await medplum.executeBatch(transaction);
tell({ statuses: answer.entry.map((entry) => entry.response.status.slice(0, 3)) });

const absent = await medplum.readResource("Observation", "0".repeat(32)).catch((error) => error.outcome.issue[0].code);
tell({ absent });

const person = new MedplumClient({ ...place, clientId: app });
const { codeChallenge, codeChallengeMethod } = await person.startPkce();
const request = { scope: "openid user/*.cruds", codeChallenge, codeChallengeMethod };
const authorize = `${discovered.authorization_endpoint}?aud=${encodeURIComponent(fhir)}`;
tell({ authorize: person.getExternalAuthRedirectUri(authorize, app, redirect, request) });

const returned = new URL((await next()).returned);
await person.processCode(returned.searchParams.get("code"), { clientId: app, redirectUri: redirect });
const seen = await person.readResource("Patient", patient);
const noted = await person.createResource(observation);
await person.deleteResource("Observation", noted.id);
const gone = await person.readResource("Observation", noted.id).catch((error) => error.outcome.issue[0].code);
tell({ person: person.isAuthenticated(0), seen: seen.id, gone });
