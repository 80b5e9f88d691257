// What a web application gives fhirclient: a place for its sessions, and real requests to answer.
import { createServer } from "node:http";

const kept = new Map();
export const storage = {
  get: async (key) => kept.get(key),
  set: async (key, value) => kept.set(key, value).get(key),
  unset: async (key) => kept.delete(key),
};

/** Runs `work` inside a real request to `path`, as a web application would, and returns what it gave. */
export async function within(path, work) {
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
