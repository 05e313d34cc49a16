// What the SDK declares about its responses, read from its TypeScript declarations: at run time it checks nothing, so an
// response that would mislead its users passes unnoticed.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const folder = join(dirname(createRequire(import.meta.url).resolve("stytch")), "..", "types", "lib", "b2c");
const envelope = ["request_id", "status_code"]; // in every response; not all declarations mention it

const interfaces = new Map(); // name → [[field, optional, type], ...]
const responses = new Map(); // "m2m_clients.get" → name of an interface

for (const file of readdirSync(folder)) {
  if (!/^(m2m|connected_apps)\w*\.d\.ts$/.test(file)) continue;
  const source = readFileSync(join(folder, file), "utf8").replace(/\/\*[^]*?\*\//g, "");
  for (const [, name, body] of source.matchAll(/^export interface (\w+) \{$([^]*?)^\}$/gm)) {
    const fields = [...body.matchAll(/^ {4}(\w+)(\?)?: ([^;]+);$/gm)].map(([, field, mark, type]) => [field, mark === "?", type]);
    assert.ok(fields.length > 0, `${file}: no field found in ${name}`);
    interfaces.set(name, fields);
  }
  for (const [, method, response] of source.matchAll(/^ {4}(\w+)\(.*\): Promise<(\w+)>;$/gm)) {
    responses.set(`${file.replace(".d.ts", "")}.${method}`, response);
  }
}

// checkResponse fails if the response of a method such as m2m.clients.get is not of the declared type, or holds more. What
// it says names fields and types, never a value.
export function checkResponse(method, response) {
  const parts = method.replace(/^connectedApp\b/, "connected_apps").split(".");
  const key = `${parts.slice(0, -1).join("_")}.${parts.at(-1)}`;
  assert.ok(responses.has(key), `${method}: its declaration was not found`);
  check(response, responses.get(key), method);
}

function check(value, type, path) {
  if (type.endsWith("[]")) {
    assert.ok(Array.isArray(value), `${path}: not a list`);
    value.forEach((item) => check(item, type.slice(0, -2), `${path}[]`));
  } else if (["string", "number", "boolean"].includes(type)) {
    assert.equal(typeof value, type, `${path}: ${value === null ? "null" : typeof value} instead of ${type}`);
  } else if (type.startsWith("Record<")) {
    assert.ok(isObject(value), `${path}: not an object`);
  } else {
    assert.ok(interfaces.has(type), `${path}: the declaration of ${type} was not found`);
    checkFields(value, interfaces.get(type), path);
  }
}

function checkFields(value, fields, path) {
  assert.ok(isObject(value), `${path}: not an object`);
  for (const [field, optional, type] of fields) {
    if (optional && (value[field] === undefined || value[field] === null)) continue; // Stytch sends null for unset
    check(value[field], type, `${path}.${field}`);
  }
  const known = new Set([...fields.map(([field]) => field), ...envelope]);
  const others = Object.keys(value).filter((field) => !known.has(field));
  assert.deepEqual(others, [], `${path}: fields that the SDK does not declare`);
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
