// fhirclient (npm, SMART Health IT): an app that a person signs in to, public or with a key of its own.
import smart from "fhirclient";
import { next, tell } from "./told.mjs";
import { storage, within } from "./web_application.mjs";

const { fhir, client: registered, redirect, observation, transaction } = await next();
// With a key it cannot renew its token: it does not sign that request.
const offline = registered.private_jwk ? "" : "offline_access ";
const scope = `openid fhirUser launch/patient ${offline}user/*.cruds`;

const asked = { iss: fhir, clientId: registered.client_id, scope, redirectUri: redirect };
if (registered.private_jwk) asked.clientPrivateJwk = registered.private_jwk;
const { location } = await within("/launch", (request, response) => smart(request, response, storage).authorize(asked));
tell({ authorize: location });

const { pathname, search } = new URL((await next()).returned);
const { result: client } = await within(pathname + search, (request, response) =>
  smart(request, response, storage).ready(),
);
tell({ patient: client.patient.id, fhirUser: client.user.fhirUser });

const read = await client.patient.read();
const patient = read.id;
const pages = await client.request(`Observation?patient=${patient}&_count=7&_sort=-date`, { pageLimit: 0, flat: true });
const counted = await client.request(`Observation?patient=${patient}&_summary=count`);
const resolved = await client.request(`Observation?patient=${patient}&_count=1`, { resolveReferences: ["subject"], flat: true });
tell({
  read: patient,
  found: pages.length,
  distinct: new Set(pages.map((resource) => resource.id)).size,
  total: counted.total,
  resolved: resolved[0].subject.id,
});

const made = await client.create(observation);
const changed = await client.update({ ...made, valueQuantity: { ...made.valueQuantity, value: 72 } });
tell({ made: made.meta.versionId, changed: changed.meta.versionId });

const amendment = [{ op: "replace", path: "/valueQuantity/value", value: 73.5 }];
const patched = await client.patch(`Observation/${made.id}`, amendment);
tell({ patched: patched.meta.versionId, value: patched.valueQuantity.value });

const answer = await client.request({
  url: "",
  method: "POST",
  body: JSON.stringify(transaction),
  headers: { "content-type": "application/fhir+json" },
});
tell({ statuses: answer.entry.map((entry) => entry.response.status.slice(0, 3)) });

await client.delete(`Observation/${made.id}`);
const gone = await client.request(`Observation/${made.id}`).catch((error) => error.status);
const renewable = client.state.tokenResponse.refresh_token;
const renewed = renewable ? (await client.refresh()).tokenResponse.refresh_token !== renewable : null;
tell({ gone, renewed });
process.exit(0);
