// A visit as it leaves: signed by this telephone's key (JWS, ES256), then sealed to the service (HPKE). From then on the telephone
// cannot read it either. The contract is docs/implementation/telephone.md.
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "@hpke/core";

import { base64, base64url, bytesOf, fromBase64url, hex } from "./encoding.js";
import * as store from "./store.js";

const INFO = bytesOf("liaison visit 1");
const CURVE = { name: "ECDSA", namedCurve: "P-256" };
const suite = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Aes256Gcm(),
});

// Whether this browser can seal at all: WebCrypto has X25519 since 2023 (Safari 17) to 2025 (Chrome 133).
export async function able() {
  try {
    await crypto.subtle.generateKey("X25519", false, ["deriveBits"]);
    return true;
  } catch {
    return false;
  }
}

// The key that signs for this telephone; its private half cannot be taken out of the browser.
async function device() {
  return navigator.locks.request("liaison-device", async () => {
    let pair = await store.kept("device");
    if (pair === undefined) {
      pair = await crypto.subtle.generateKey(CURVE, false, ["sign", "verify"]);
      await store.keep("device", pair);
    }
    return pair;
  });
}

export async function publicKey() {
  const { crv, kty, x, y } = await crypto.subtle.exportKey("jwk", (await device()).publicKey);
  return { crv, kty, x, y };
}

async function signed(letter) {
  const header = { alg: "ES256", typ: "liaison-visit+jws", jwk: await publicKey() };
  const signing = [header, letter].map((part) => base64url(bytesOf(JSON.stringify(part)))).join(".");
  const by = { name: "ECDSA", hash: "SHA-256" };
  return `${signing}.${base64url(await crypto.subtle.sign(by, (await device()).privateKey, bytesOf(signing)))}`;
}

// `key`: {kid, public} of the tour. Answers {kid, sealed, hash}, as they are sent.
export async function sealed(letter, key) {
  const raw = fromBase64url(key.public);
  const recipientPublicKey = await suite.kem.importKey("raw", raw.buffer, true);
  const { enc, ct } = await suite.seal({ recipientPublicKey, info: INFO }, bytesOf(await signed(letter)));
  const whole = new Uint8Array([...new Uint8Array(enc), ...new Uint8Array(ct)]);
  return { kid: key.kid, sealed: base64(whole), hash: hex(await crypto.subtle.digest("SHA-256", whole)) };
}
