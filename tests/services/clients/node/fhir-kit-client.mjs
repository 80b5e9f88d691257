// fhir-kit-client (npm, Vermonster): a whole round as a backend.
import Client from "fhir-kit-client";
import { authFromCapability } from "fhir-kit-client/lib/smart.js";
import { backendToken, next, tell } from "./told.mjs";

const { fhir, client: registered, patient, observation, transaction } = await next();
const client = new Client({ baseUrl: fhir });

const metadata = await client.capabilityStatement();
// Its smartAuthMetadata() races three addresses with an AbortController of its own, which no fetch of Node 18 takes.
const { tokenUrl, authorizeUrl } = authFromCapability(metadata);
tell({ fhirVersion: metadata.fhirVersion, tokenUrl, authorizeUrl });
client.bearerToken = await backendToken(registered, String(tokenUrl), "system/*.cruds");

const read = await client.read({ resourceType: "Patient", id: patient });
tell({ read: read.id });

let page = await client.search({ resourceType: "Observation", searchParams: { patient, _count: 7, _sort: "-date" } });
const found = [];
while (page) {
  found.push(...(page.entry ?? []).map((entry) => entry.resource.id));
  page = await client.nextPage({ bundle: page });
}
const counted = await client.search({ resourceType: "Observation", searchParams: { patient, _summary: "count" } });
const posted = await client.resourceSearch({
  resourceType: "Observation",
  searchParams: { patient, _count: 5 },
  options: { postSearch: true },
});
const own = await client.compartmentSearch({
  resourceType: "Observation",
  compartment: { resourceType: "Patient", id: patient },
  searchParams: { _count: 3 },
});
tell({
  found: found.length,
  distinct: new Set(found).size,
  total: counted.total,
  posted: posted.entry.length,
  compartment: own.entry.length,
});

const made = await client.create({ resourceType: "Observation", body: observation });
const body = { ...made, valueQuantity: { ...made.valueQuantity, value: 72 } };
const changed = await client.update({
  resourceType: "Observation",
  id: made.id,
  body,
  options: { headers: { "If-Match": `W/"${made.meta.versionId}"` } },
});
const stale = await client
  .update({
    resourceType: "Observation",
    id: made.id,
    body,
    options: { headers: { "If-Match": `W/"${made.meta.versionId}"` } },
  })
  .catch((error) => error.response.status);
const first = await client.vread({ resourceType: "Observation", id: made.id, version: "1" });
const history = await client.history({ resourceType: "Observation", id: made.id });
tell({
  made: made.meta.versionId,
  changed: changed.meta.versionId,
  stale,
  first: first.valueQuantity.value,
  history: history.entry.length,
});

const patched = await client.patch({
  resourceType: "Observation",
  id: made.id,
  JSONPatch: [
    { op: "test", path: "/valueQuantity/value", value: 72 },
    { op: "replace", path: "/valueQuantity/value", value: 73.5 },
  ],
  options: { headers: { "If-Match": `W/"${changed.meta.versionId}"` } },
});
tell({ patched: patched.meta.versionId, value: patched.valueQuantity.value });

const answer = await client.transaction({ body: transaction });
const location = answer.entry[1].response.location.split("/");
const written = await client.read({ resourceType: "Observation", id: location.at(-3) });
tell({
  statuses: answer.entry.map((entry) => entry.response.status.slice(0, 3)),
  encounter: answer.entry[0].response.location.includes(written.encounter.reference),
});

// Only its author deletes an entry here, and a backend is nobody's author: it marks what was wrong.
const wrong = await client.update({ resourceType: "Observation", id: made.id, body: { ...patched, status: "entered-in-error" } });
const absent = await client.read({ resourceType: "Observation", id: "0".repeat(32) }).catch((error) => error.response);
tell({ wrong: wrong.status, absent: absent.status, outcome: absent.data.resourceType });
