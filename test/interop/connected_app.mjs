// Every method of the SDK's connectedApp service. Secrets are compared as booleans, so that no failure prints one.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { refused } from "./watch.mjs";

const everyField = {
  client_name: "Add-on – 支払い",
  client_description: 'quotes " and\nlines',
  redirect_urls: ["https://addon.example.com/callback", "http://127.0.0.1:8080/callback"],
  full_access_allowed: true,
  access_token_expiry_minutes: 30,
  access_token_custom_audience: "https://api.example.com",
  access_token_template_content: '{"tier": {{ user.trusted_metadata.tier }}}',
  post_logout_redirect_urls: ["https://addon.example.com/bye"],
  logo_url: "https://addon.example.com/logo.png",
  bypass_consent_for_offline_access: true,
  id_token_template_content: '{"plan": {{ user.trusted_metadata.plan }}}',
};

const unknown = `connected-app-test-${randomUUID()}`;

// connectedApp runs the service of one client of the SDK.
export async function connectedApp(t, { clients }) {
  const create = async (fields) => {
    const { client_secret: secret, ...app } = (await clients.create(fields)).connected_app;
    return { secret, app, id: app.client_id };
  };
  await t.test("create and get", () => createAndGet(clients, create));
  await t.test("search", () => search(clients, create));
  await t.test("update", () => update(clients, create));
  await t.test("rotate", () => rotate(clients, create));
  await t.test("delete", () => remove(clients, create));
}

async function createAndGet(clients, create) {
  for (const client_type of ["first_party", "first_party_public", "third_party", "third_party_public"]) {
    const { secret, app, id } = await create({ client_type });
    assert.match(id, /^connected-app-test-[0-9a-f-]{36}$/);
    assert.ok(client_type.endsWith("_public") ? !secret : secret.endsWith(app.client_secret_last_four), "a secret");
    assert.deepEqual([app.client_type, app.client_name, app.status], [client_type, "", "active"]);
    assert.deepEqual([app.redirect_urls, app.access_token_expiry_minutes, app.full_access_allowed], [[], 60, false]);
    const { creation_method, ...got } = (await clients.get({ client_id: id })).connected_app;
    assert.ok(creation_method, "creation_method, which the response of create lacks");
    assert.deepEqual(got, app);
  }
  const { app } = await create({ client_type: "first_party", ...everyField });
  assert.deepEqual(Object.fromEntries(Object.keys(everyField).map((field) => [field, app[field]])), everyField);

  await refused(clients.create({ client_type: "second_party" }), 400, "invalid_connected_app_type");
  const full = { client_type: "third_party", full_access_allowed: true };
  await refused(clients.create(full), 400, "third_party_clients_cannot_use_full_access");
  await refused(clients.get({ client_id: unknown }), 404, "connected_app_not_found");
}

async function search(clients, create) {
  const made = new Set();
  for (let i = 0; i < 5; i++) made.add((await create({ client_type: "third_party", client_name: `app ${i}` })).id);
  const seen = [];
  let total;
  for (let cursor = ""; cursor !== null; ) {
    const page = await clients.search({ cursor, limit: 2 });
    assert.ok(page.connected_apps.length > 0 && page.connected_apps.length <= 2, "a page of two");
    seen.push(...page.connected_apps.map((app) => app.client_id));
    total = page.results_metadata.total;
    cursor = page.results_metadata.next_cursor;
    assert.ok(seen.length <= total, "paging ends");
  }
  assert.equal(new Set(seen).size, total);
  assert.deepEqual([...made].filter((id) => !seen.includes(id)), []);
  const all = await clients.search({});
  assert.deepEqual(all.connected_apps.map((app) => app.client_id).sort(), [...seen].sort());
  await refused(clients.search({ limit: 1001 }), 400, "bad_request");
  await refused(clients.search({ cursor: "not a cursor" }), 400, "bad_request");
}

async function update(clients, create) {
  const { id } = await create({ client_type: "first_party" });
  const { connected_app: before } = await clients.get({ client_id: id });
  const change = async (fields) => (await clients.update({ client_id: id, ...fields })).connected_app;
  assert.deepEqual(await change({}), before);
  for (const [field, value] of Object.entries(everyField)) {
    assert.deepEqual((await change({ [field]: value }))[field], value, field);
  }
  assert.deepEqual((await clients.get({ client_id: id })).connected_app, { ...before, ...everyField });
  const off = { client_name: "", redirect_urls: [], full_access_allowed: false, post_logout_redirect_urls: [] };
  assert.deepEqual(await change(off), { ...before, ...everyField, ...off });

  await refused(change({ access_token_expiry_minutes: -1 }), 400, "idp_invalid_access_token_expiry_minutes");
  await refused(change({ redirect_urls: ["addon.example.com"] }), 400, "connected_app_redirect_url_must_include_scheme");
  await refused(clients.update({ client_id: unknown }), 404, "connected_app_not_found");
}

async function rotate(clients, create) {
  const { id } = await create({ client_type: "third_party" });
  const { connected_app: before } = await clients.get({ client_id: id });
  const start = async () => {
    const { next_client_secret: next, ...app } = (await clients.secrets.rotateStart({ client_id: id })).connected_app;
    assert.ok(next.endsWith(app.next_client_secret_last_four), "a next secret");
    const { creation_method, ...rest } = before;
    assert.deepEqual(app, { ...rest, next_client_secret_last_four: app.next_client_secret_last_four });
    return next;
  };
  await refused(clients.secrets.rotateCancel({ client_id: id }), 400, "connected_app_not_rotating_secret");
  await refused(clients.secrets.rotate({ client_id: id }), 400, "connected_app_not_rotating_secret");
  await start();
  await refused(clients.secrets.rotateStart({ client_id: id }), 400, "connected_app_already_rotating_secret");
  assert.deepEqual((await clients.secrets.rotateCancel({ client_id: id })).connected_app, before);
  const next = await start();
  const { connected_app: after } = await clients.secrets.rotate({ client_id: id });
  assert.ok(next.endsWith(after.client_secret_last_four), "the next secret is the current one");
  assert.deepEqual(after, { ...before, client_secret_last_four: after.client_secret_last_four });

  const { id: open } = await create({ client_type: "third_party_public" });
  for (const method of ["rotateStart", "rotateCancel", "rotate"]) {
    await refused(clients.secrets[method]({ client_id: unknown }), 404, "connected_app_not_found");
    await refused(clients.secrets[method]({ client_id: open }), 400, "public_connected_apps_do_not_have_secrets");
  }
}

async function remove(clients, create) {
  const { id } = await create({ client_type: "first_party_public" });
  assert.equal((await clients.delete({ client_id: id })).client_id, id);
  await refused(clients.delete({ client_id: id }), 404, "connected_app_not_found");
  await refused(clients.get({ client_id: id }), 404, "connected_app_not_found");
}
