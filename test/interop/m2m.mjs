// Every method of the SDK's m2m service. Secrets are compared as booleans, so that no failure prints one.
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { refused, rejected } from "./watch.mjs";

const newSecret = () => randomBytes(36).toString("base64url");

// m2m runs the service of one client of the SDK and returns how many tokens it was given.
export async function m2m(t, service) {
  const bench = workbench(service);
  await t.test("create and get", () => createAndGet(bench));
  await t.test("search", () => search(bench));
  await t.test("update", () => update(bench));
  await t.test("rotate", () => rotate(bench));
  await t.test("token and authenticateToken", () => tokens(bench));
  await t.test("delete", () => remove(bench));
  return bench.tokens();
}

function workbench(service) {
  const { clients } = service;
  const run = randomUUID().slice(0, 8); // apart from what an earlier run left behind
  const read = `read:${run}`;
  const write = `write:${run}`;
  let given = 0;

  async function token(client_id, client_secret, scopes) {
    const response = await service.token({ client_id, client_secret, scopes });
    given++;
    assert.equal(response.token_type, "bearer");
    assert.equal(response.expires_in, 3600);
    return response.access_token;
  }

  async function create(fields) {
    const { m2m_client } = await clients.create({ scopes: [read, write], ...fields });
    const { client_secret: secret, ...client } = m2m_client;
    assert.ok(secret.endsWith(client.client_secret_last_four) && client.client_secret_last_four.length === 4, "last four");
    return { secret, client, id: client.client_id };
  }

  return { service, clients, run, read, write, token, create, tokens: () => given };
}

async function createAndGet({ clients, run, read, write, create, token }) {
  const made = await create();
  assert.match(made.id, /^m2m-client-test-[0-9a-f-]{36}$/);
  assert.deepEqual(made.client, {
    client_id: made.id,
    client_name: "",
    client_description: "",
    status: "active",
    scopes: [read, write],
    client_secret_last_four: made.client.client_secret_last_four,
    next_client_secret_last_four: null,
    trusted_metadata: {},
  });
  assert.deepEqual((await clients.get({ client_id: made.id })).m2m_client, made.client);

  const secret = newSecret();
  const imported = await create({
    client_id: `partner:${run}+billing@eu ü`, // every sign of it escaped in the path
    client_secret: secret,
    client_name: "Zahlungen – 支払い",
    client_description: 'quotes " and\nlines',
    trusted_metadata: { tier: "gold", limits: { daily: 5, hours: [9, 17] }, note: null, ratio: 0.25 },
  });
  assert.ok(imported.secret === secret, "the imported secret comes back");
  assert.deepEqual(imported.client.trusted_metadata, { tier: "gold", limits: { daily: 5, hours: [9, 17] }, ratio: 0.25 });
  assert.deepEqual((await clients.get({ client_id: imported.id })).m2m_client, imported.client);
  await token(imported.id, secret);

  await refused(clients.create({ scopes: [read], client_id: imported.id }), 400, "duplicate_m2m_client_id");
  await refused(clients.create({ scopes: [read], client_secret: "aaaaaaaaaa" }), 400, "insecure_m2m_client_secret");
  await refused(clients.create({}), 400, "bad_request");
  await refused(clients.get({ client_id: `unknown-${run}` }), 404, "m2m_client_not_found");
}

async function search({ clients, run, create }) {
  const scope = `search:${run}`;
  const made = [];
  for (const name of ["one", "two", "three", "four", "five"]) {
    made.push((await create({ scopes: [scope, `${name}:${run}`], client_name: `${name} ${run}` })).client);
  }
  const found = async (operator, ...operands) => {
    const filters = operands.map(([filter_name, ...filter_value]) => ({ filter_name, filter_value }));
    const response = await clients.search({ query: { operator, operands: filters } });
    assert.equal(response.results_metadata.total, response.m2m_clients.length);
    assert.equal(response.results_metadata.next_cursor, null);
    return response.m2m_clients.map((client) => made.findIndex((one) => one.client_id === client.client_id)).sort();
  };
  assert.deepEqual(await found("AND", ["scopes", scope]), [0, 1, 2, 3, 4]);
  assert.deepEqual(await found("AND", ["client_id", made[1].client_id, made[3].client_id]), [1, 3]);
  assert.deepEqual(await found("AND", ["scopes", scope], ["client_name", `three ${run}`]), [2]);
  assert.deepEqual(await found("OR", ["client_name", `one ${run}`], ["scopes", `five:${run}`, `two:${run}`]), [0, 1, 4]);
  assert.deepEqual(await found("AND", ["client_name", `One ${run}`]), []);

  const query = { operator: "AND", operands: [{ filter_name: "scopes", filter_value: [scope] }] };
  const pages = [];
  for (let cursor = ""; cursor !== null; cursor = pages.at(-1).results_metadata.next_cursor) {
    assert.ok(pages.length < 3, "paging ends");
    pages.push(await clients.search({ cursor, limit: 2, query }));
  }
  assert.deepEqual(pages.map((page) => page.m2m_clients.length), [2, 2, 1]);
  const byID = (a, b) => (a.client_id < b.client_id ? -1 : 1);
  assert.deepEqual(pages.flatMap((page) => page.m2m_clients).sort(byID), [...made].sort(byID));
  const all = await clients.search({});
  assert.ok(all.results_metadata.total >= 5 && all.m2m_clients.length >= 5);

  await refused(clients.search({ limit: 1001 }), 400, "bad_request");
  await refused(clients.search({ cursor: "not a cursor" }), 400, "bad_request");
  await refused(clients.search({ query: { operator: "XOR", operands: [] } }), 400, "bad_request");
  const strange = { operator: "AND", operands: [{ filter_name: "status", filter_value: ["active"] }] };
  await refused(clients.search({ query: strange }), 400, "m2m_search_filter_name_not_recognized");
}

async function update({ service, clients, run, write, create }) {
  const { id, client, secret } = await create({ client_name: "old", trusted_metadata: { keep: 1, drop: 2 } });
  const change = async (fields) => (await clients.update({ client_id: id, ...fields })).m2m_client;
  assert.deepEqual(await change({}), client);
  assert.deepEqual(await change({ client_name: "new" }), { ...client, client_name: "new" });
  const wanted = { ...client, client_name: "", client_description: "text", scopes: [write], trusted_metadata: { keep: 1, add: [true] } };
  const fields = { client_name: "", client_description: "text", scopes: [write], trusted_metadata: { drop: null, add: [true] } };
  assert.deepEqual(await change(fields), wanted);
  assert.deepEqual((await clients.get({ client_id: id })).m2m_client, wanted);

  assert.equal((await change({ status: "inactive" })).status, "inactive");
  await refused(service.token({ client_id: id, client_secret: secret }), 400, "invalid_client");
  assert.equal((await change({ status: "active", scopes: [] })).status, "active");
  await refused(change({ status: "asleep" }), 400, "invalid_m2m_client_status");
  await refused(change({ scopes: ["two words"] }), 400, "invalid_m2m_client_scope");
  await refused(change({ trusted_metadata: { text: "x".repeat(5000) } }), 400, "metadata_too_large");
  await refused(clients.update({ client_id: `unknown-${run}` }), 404, "m2m_client_not_found");
}

async function rotate({ service, clients, run, create, token }) {
  const { secret: first, client, id } = await create();
  const start = async () => {
    const { next_client_secret: next, ...rest } = (await clients.secrets.rotateStart({ client_id: id })).m2m_client;
    assert.ok(next !== first && next.endsWith(rest.next_client_secret_last_four), "a next secret");
    assert.deepEqual(rest, { ...client, next_client_secret_last_four: rest.next_client_secret_last_four });
    return next;
  };
  await refused(clients.secrets.rotateCancel({ client_id: id }), 400, "m2m_client_not_rotating_secret");
  await refused(clients.secrets.rotate({ client_id: id }), 400, "m2m_client_not_rotating_secret");

  const dropped = await start();
  await refused(clients.secrets.rotateStart({ client_id: id }), 400, "m2m_client_already_rotating_secret");
  await token(id, first);
  await token(id, dropped);
  assert.deepEqual((await clients.secrets.rotateCancel({ client_id: id })).m2m_client, client);
  await token(id, first);
  await refused(service.token({ client_id: id, client_secret: dropped }), 400, "invalid_client");

  const second = await start();
  const { m2m_client: rotated } = await clients.secrets.rotate({ client_id: id });
  assert.ok(second.endsWith(rotated.client_secret_last_four), "the next secret is the current one");
  assert.deepEqual(rotated, { ...client, client_secret_last_four: rotated.client_secret_last_four });
  await token(id, second);
  await refused(service.token({ client_id: id, client_secret: first }), 400, "invalid_client");
  for (const method of ["rotateStart", "rotateCancel", "rotate"]) {
    await refused(clients.secrets[method]({ client_id: `unknown-${run}` }), 404, "m2m_client_not_found");
  }
}

async function tokens({ service, run, read, write, create, token }) {
  const { secret, id } = await create();
  const access_token = await token(id, secret);
  const authenticated = { client_id: id, scopes: [read, write], custom_claims: {} };
  assert.deepEqual(await service.authenticateToken({ access_token }), authenticated);
  const limits = { required_scopes: [write], max_token_age_seconds: 600, clock_tolerance_seconds: 5 };
  assert.deepEqual(await service.authenticateToken({ access_token, ...limits }), authenticated);

  const narrow = await token(id, secret, [write]);
  assert.deepEqual((await service.authenticateToken({ access_token: narrow })).scopes, [write]);
  const turned = await token(id, secret, [write, read]);
  assert.deepEqual((await service.authenticateToken({ access_token: turned })).scopes, [write, read]);
  const empty = await token(id, secret, []);
  assert.deepEqual((await service.authenticateToken({ access_token: empty })).scopes, [read, write]);

  await rejected(service.authenticateToken({ access_token: narrow, required_scopes: [read] }), "missing_scopes");
  await rejected(service.authenticateToken({ access_token, max_token_age_seconds: 0 }), "jwt_too_old");
  const [header, , signature] = narrow.split(".");
  const forged = [header, access_token.split(".")[1], signature].join(".");
  await rejected(service.authenticateToken({ access_token: forged }), "jwt_invalid");

  await refused(service.token({ client_id: id, client_secret: newSecret() }), 400, "invalid_client");
  await refused(service.token({ client_id: `unknown-${run}`, client_secret: secret }), 400, "invalid_client");
  await refused(service.token({ client_id: id, client_secret: secret, scopes: [`admin:${run}`] }), 400, "invalid_scope");
}

async function remove({ service, clients, create }) {
  const { secret, id } = await create();
  assert.equal((await clients.delete({ client_id: id })).client_id, id);
  await refused(clients.delete({ client_id: id }), 404, "m2m_client_not_found");
  await refused(clients.get({ client_id: id }), 404, "m2m_client_not_found");
  await refused(service.token({ client_id: id, client_secret: secret }), 400, "invalid_client");
}
