// <form data-passkey="get|create" data-ask="/address/">: the server says what to ask of the browser, the browser's
// answer goes into the form. Without passkeys in the browser what is offered stays hidden.
const codes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));

function letters(buffer) {
  const text = Array.from(new Uint8Array(buffer), (one) => String.fromCharCode(one)).join("");
  return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

const known = (list) => list?.map((one) => ({ ...one, id: codes(one.id) }));

function options({ publicKey }) {
  const made = { ...publicKey, challenge: codes(publicKey.challenge) };
  if (publicKey.user) made.user = { ...publicKey.user, id: codes(publicKey.user.id) };
  if (publicKey.allowCredentials) made.allowCredentials = known(publicKey.allowCredentials);
  if (publicKey.excludeCredentials) made.excludeCredentials = known(publicKey.excludeCredentials);
  return { publicKey: made };
}

function answer(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = letters(credential.response[name]);
  }
  const { id, type } = credential;
  return { id, rawId: letters(credential.rawId), type, response, clientExtensionResults: {} };
}

// What is said when it did not work stands in the form, or beside its button.
function say(form, text) {
  const place = form.querySelector("[data-passkey-said]") ?? document.querySelector("[data-passkey-said]");
  place.textContent = text;
  place.hidden = !text;
}

async function perform(form) {
  say(form, "");
  const asked = await fetch(form.dataset.ask, { headers: { Accept: "application/json" } });
  if (!asked.ok || asked.redirected) return location.reload();
  const { options: wanted, challenge } = await asked.json();
  const kind = form.dataset.passkey === "create" ? "create" : "get";
  try {
    const credential = await navigator.credentials[kind](options(wanted));
    form.elements.credential.value = JSON.stringify(answer(credential));
  } catch {
    return say(form, form.dataset.refused); // closed by its person, or no passkey that fits
  }
  form.elements.challenge.value = challenge;
  return form.submit();
}

export function startPasskeys() {
  if (!window.PublicKeyCredential || !navigator.credentials) return;
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const button = document.getElementById(form.dataset.passkeyButton ?? "");
    if (button) button.addEventListener("click", () => perform(form));
    else {
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        perform(form);
      });
    }
  }
  document.querySelectorAll("[data-passkey-offer]").forEach((part) => part.removeAttribute("hidden"));
  document.querySelectorAll("[data-passkey-away]").forEach((part) => part.remove());
}
