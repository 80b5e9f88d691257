// fhirclient (npm, SMART Health IT): an app that is opened on a record (EHR launch).
import { createServer } from "node:http";
import smart from "fhirclient";
import { next, tell } from "./told.mjs";

const { client: registered, redirect, query } = await next();

const kept = new Map();
const storage = {
  get: async (key) => kept.get(key),
  set: async (key, value) => kept.set(key, value).get(key),
  unset: async (key) => kept.delete(key),
};

/** Runs `work` inside a real request to `path`, as a web application would, and returns what it gave. */
async function within(path, work) {
  const server = createServer();
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const given = new Promise((resolve, reject) => {
    server.on("request", (request, response) => {
      work(request, response).then(resolve, reject).finally(() => response.writableEnded || response.end());
    });
  });
  const answer = await fetch(`http://127.0.0.1:${server.address().port}${path}`, { redirect: "manual" });
  const result = await given;
  server.close();
  return { result, location: answer.headers.get("location") };
}

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
