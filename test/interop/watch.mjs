// Watches every method of a service of the SDK, so that none is forgotten and every outcome is checked.
import assert from "node:assert/strict";
import stytch from "stytch";
import { checkResponse } from "./declared.mjs";

// watch replaces each method of a service and of the services below it with one that counts in the ledger how often it
// succeeded and was refused. The methods are those of the prototypes, regardless of their names.
export function watch(service, path, ledger) {
  for (const [name, part] of Object.entries(service)) {
    if (isService(part)) watch(part, `${path}.${name}`, ledger);
  }
  for (let proto = Object.getPrototypeOf(service); proto !== Object.prototype; proto = Object.getPrototypeOf(proto)) {
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(proto))) {
      if (name === "constructor") continue;
      const method = `${path}.${name}`;
      assert.equal(typeof property.value, "function", `${method} is not a plain method: extend watch`);
      ledger[method] = { succeeded: 0, refused: 0 };
      service[name] = (...args) => observe(method, property.value.apply(service, args), ledger[method]);
    }
  }
}

function isService(part) {
  if (typeof part !== "object" || part === null) return false;
  return ![Object.prototype, Array.prototype, null].includes(Object.getPrototypeOf(part));
}

async function observe(method, outcome, count) {
  let response;
  try {
    response = await outcome;
  } catch (error) {
    checkError(method, error);
    count.refused++;
    throw error;
  }
  checkResponse(method, response);
  count.succeeded++;
  return response;
}

function checkError(method, error) {
  if (error instanceof stytch.ClientError) return; // a token that the SDK itself refused
  // Anything else is not a refusal. A RequestError contains the whole request with its secret and must not be printed.
  const unread = error instanceof stytch.RequestError && error.message.includes("parse JSON");
  const reason = unread ? "a body that is not JSON" : error.constructor.name;
  assert.ok(error instanceof stytch.StytchError, `${method}: ${reason} instead of a response`);
  assert.equal(typeof error.status_code, "number", `${method}: status_code`);
  assert.match(error.request_id ?? "", /^request-id-test-[0-9a-f-]{36}$/, `${method}: request_id`);
  assert.match(error.error_type ?? "", /^[a-z0-9_]+$/, `${method}: error_type`);
  assert.ok(error.error_message, `${method}: error_message`);
  assert.equal(error.error_url, `https://stytch.com/docs/api/errors/${error.status_code}#${error.error_type}`);
}

// refused waits for a call to be refused by the server with this status and error_type.
export async function refused(call, status, type) {
  await assert.rejects(call, (error) => {
    if (!(error instanceof stytch.StytchError)) throw error;
    assert.deepEqual([error.status_code, error.error_type], [status, type]);
    return true;
  });
}

// rejected waits for a token to be refused by the SDK itself with this code.
export async function rejected(call, code) {
  await assert.rejects(call, (error) => {
    if (!(error instanceof stytch.ClientError)) throw error;
    assert.equal(error.code, code);
    return true;
  });
}

// uncovered lists the methods of a ledger that were not both called with success and refused.
export function uncovered(ledger) {
  return Object.keys(ledger).filter((method) => !(ledger[method].succeeded > 0 && ledger[method].refused > 0));
}
