// Passkeys. A button [data-passkey] asks the service for a challenge, the device for its key's answer, and sends it back.
// Without this script, or on a device that has no passkeys, the buttons stay hidden and the other way in is there.
const bytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const named = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

async function send(button, path, content) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json", "x-csrf-token": button.dataset.csrf },
    body: JSON.stringify(content),
  });
  if (!answer.ok || answer.redirected) throw new Error("refused");
  return answer.json();
}

async function created(options) {
  const made = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: named(options.excludeCredentials),
    },
  });
  const { attestationObject, clientDataJSON } = made.response;
  return { made, response: { attestationObject: text(attestationObject), clientDataJSON: text(clientDataJSON) } };
}

async function got(options) {
  const made = await navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      allowCredentials: named(options.allowCredentials),
    },
  });
  const { authenticatorData, clientDataJSON, signature, userHandle } = made.response;
  const response = {
    authenticatorData: text(authenticatorData),
    clientDataJSON: text(clientDataJSON),
    signature: text(signature),
    userHandle: userHandle ? text(userHandle) : null,
  };
  return { made, response };
}

// Whether it leads to another page.
async function run(button) {
  const { at, passkey, suite, label } = button.dataset;
  const options = await send(button, `${at}/defi`, {});
  const { made, response } = await (passkey === "create" ? created(options) : got(options));
  const { id, type, authenticatorAttachment } = made;
  const credential = { id, rawId: text(made.rawId), type, authenticatorAttachment, response };
  const name = label ? document.getElementById(label).value : "";
  const answer = await send(button, at, { credential, suite, label: name });
  if (answer.next) location.assign(answer.next);
  else document.getElementById(button.dataset.done).hidden = false;
  return Boolean(answer.next);
}

if (window.PublicKeyCredential) {
  for (const part of document.querySelectorAll("[data-passkeys]")) part.hidden = false;
  const buttons = [...document.querySelectorAll("[data-passkey]")];
  // One try at a time: a device that asks for a finger would refuse the second, and the page would call the right key wrong.
  const pause = (paused) => {
    for (const one of buttons) one.disabled = paused;
  };
  for (const button of buttons) {
    const problem = document.getElementById(button.dataset.problem);
    button.addEventListener("click", async () => {
      problem.hidden = true;
      pause(true);
      try {
        // The next page is on its way: no try begins meanwhile.
        if (await run(button)) return;
        // Once is enough: the form below is sent as it stands.
        for (const asked of document.querySelectorAll("[data-unless-proven]")) asked.hidden = true;
      } catch {
        problem.hidden = false;
      }
      pause(false);
    });
  }
  // A page that comes back as it was left may try again.
  addEventListener("pageshow", (event) => {
    if (event.persisted) pause(false);
  });
}
