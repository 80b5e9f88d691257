// How a test and a client talk: one JSON value a line. The first line says where the service is and who the client is.
import { createPrivateKey, randomUUID, sign } from "node:crypto";
import { createInterface } from "node:readline";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

export async function next() {
  const { value, done } = await lines.next();
  if (done) throw new Error("the test has gone");
  return JSON.parse(value);
}

export function tell(fact) {
  process.stdout.write(JSON.stringify(fact) + "\n");
}

/** private_key_jwt (RFC 7523 §3, SMART Backend Services): a proof of who the client is, good for a minute, once. */
export function assertion({ client_id, private_jwk }, audience) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const header = { alg: private_jwk.alg, kid: private_jwk.kid, typ: "JWT" };
  const exp = Math.floor(Date.now() / 1000) + 60;
  const claims = { iss: client_id, sub: client_id, aud: audience, jti: randomUUID(), exp };
  const signed = `${part(header)}.${part(claims)}`;
  const key = createPrivateKey({ key: private_jwk, format: "jwk" });
  const signature = sign("sha384", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" });
  return `${signed}.${signature.toString("base64url")}`;
}

/** An access token for that proof. */
export async function backendToken(client, tokenUrl, scope) {
  const answer = await fetch(tokenUrl, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials",
      scope,
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion: assertion(client, tokenUrl),
    }),
  });
  const content = await answer.json();
  if (!answer.ok) throw new Error(JSON.stringify(content));
  return content.access_token;
}
