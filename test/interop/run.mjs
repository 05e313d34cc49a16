// Runs the official Stytch SDK for Node against a Stytch that INTEROP_BASE_URL, INTEROP_PROJECT_ID and
// INTEROP_PROJECT_SECRET name, and writes what was exercised to the file INTEROP_REPORT. Start it with
// `go test -tags interop ./test/interop/...`, which brings an emulator.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import test from "node:test";
import stytch from "stytch";
import { connectedApp } from "./connected_app.mjs";
import { m2m } from "./m2m.mjs";
import { refused, uncovered, watch } from "./watch.mjs";

const { INTEROP_BASE_URL: env, INTEROP_PROJECT_ID: project_id, INTEROP_PROJECT_SECRET: secret, INTEROP_REPORT: file } = process.env;
assert.ok(env && project_id && secret && file, "INTEROP_BASE_URL, INTEROP_PROJECT_ID, INTEROP_PROJECT_SECRET and INTEROP_REPORT are not all set");
console.warn = () => {}; // the SDK warns of any address but Stytch's own

const report = { clients: {}, tokens: 0 };
process.on("exit", () => writeFileSync(file, JSON.stringify(report)));

function watched(Client, config) {
  const client = new Client({ project_id, secret, env, ...config });
  const ledger = {};
  watch(client.m2m, "m2m", ledger);
  watch(client.connectedApp, "connectedApp", ledger);
  return { client, ledger };
}

// call calls a method such as m2m.clients.get by its name.
function call(client, method) {
  const path = method.split(".");
  const name = path.pop();
  return path.reduce((part, step) => part[step], client)[name]({ client_id: "any" });
}

for (const name of ["Client", "B2BClient"]) {
  test(name, async (t) => {
    const { client, ledger } = watched(stytch[name]);
    report.clients[name] = ledger;
    await t.test("m2m", async (t) => {
      report.tokens += await m2m(t, client.m2m);
    });
    await t.test("connectedApp", (t) => connectedApp(t, client.connectedApp));

    await t.test("getJWKS, sent with the credentials of the project", async () => {
      const { keys } = await client.sessions.getJWKS({ project_id });
      const { n, x5c, x5tS256, kid, ...fixed } = keys[0];
      assert.deepEqual(fixed, { alg: "RS256", e: "AQAB", key_ops: ["verify"], kty: "RSA", use: "sig" });
      assert.match(kid, /^jwk-test-/);
      await refused(client.sessions.getJWKS({ project_id: "project-test-00000000-0000-4000-8000-000000000000" }), 404, "project_not_found");
    });

    await t.test("wrong credentials are refused by every operation of the project", async () => {
      const stranger = watched(stytch[name], { secret: "secret-test-of-another-project" });
      const nameless = watched(stytch[name], { project_id: "nonsense" });
      for (const method of Object.keys(ledger).filter((method) => method.includes(".clients."))) {
        await refused(call(stranger.client, method), 401, "unauthorized_credentials");
        await refused(call(nameless.client, method), 400, "invalid_project_id_authentication");
      }
    });

    await t.test("no method is forgotten", () => {
      assert.deepEqual(uncovered(ledger), [], "methods that were not both called with success and refused");
    });
  });
}
