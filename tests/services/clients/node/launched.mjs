// fhirclient (npm, SMART Health IT): an app that is opened on a record (EHR launch).
import smart from "fhirclient";
import { next, tell } from "./told.mjs";
import { storage, within } from "./web_application.mjs";

const { client: registered, redirect, query } = await next();

// The address says which server, and with which handle; the app says the rest.
const asked = { clientId: registered.client_id, scope: "launch openid fhirUser user/*.rs", redirectUri: redirect };
const { location } = await within(`/launch?${query}`, (request, response) =>
  smart(request, response, storage).authorize(asked),
);
tell({ authorize: location });

const { pathname, search } = new URL((await next()).returned);
const { result: client } = await within(pathname + search, (request, response) =>
  smart(request, response, storage).ready(),
);
const patient = await client.patient.read();
tell({ patient: patient.id, intent: client.state.tokenResponse.intent, fhirUser: client.user.fhirUser });
