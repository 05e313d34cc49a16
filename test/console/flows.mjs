// What a person does with the mouse: create, rotate, inject a fault, travel in time, mint and read a token.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { shownSecret, withPage } from "./browser.mjs";

// flows of names, or all of them.
export function flows(server, options = {}, names) {
  const script = options.javaScriptEnabled === false ? ", without JavaScript" : "";
  const run = (name, body) => (names?.includes(name) ?? true) && test(name + script, withPage(server, options, body));

  run("create a client", async (page) => {
    await page.goto("");
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "M2M clients" }).click();
    await page.getByRole("link", { name: "Create" }).first().click();
    await page.getByLabel("Name").fill("Night worker");
    await page.getByLabel("Scopes").fill("read:ü");
    await page.getByRole("button", { name: "Create the client" }).click();
    const scopes = page.getByLabel("Scopes");
    assert.equal(await scopes.getAttribute("aria-invalid"), "true", "the error is beside the field");
    assert.match(await page.locator("#scopes-error").innerText(), /invalid_m2m_client_scope/);
    assert.equal(await page.getByLabel("Name").inputValue(), "Night worker", "what was entered stays");

    await scopes.fill("read:users write:invoices");
    await page.getByRole("button", { name: "Create the client" }).click();
    await page.getByText("The M2M client was created.").waitFor();
    const secret = await shownSecret(page);
    const id = await page.locator("#id").innerText();
    assert.ok(!page.url().includes(secret));
    assert.equal((await server.token(id, secret)).status, 200, "the secret that is shown works");
    await page.reload();
    assert.equal(await page.locator("#secret").count(), 0, "a reload shows no secret");
    assert.ok(!(await page.content()).includes(secret));

    await page.goto("clients?q=" + encodeURIComponent("Night worker"));
    await page.getByRole("link", { name: "Night worker" }).click();
    await page.getByLabel("Status").selectOption("inactive");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("The changes were saved.").waitFor();
    assert.notEqual((await server.token(id, secret)).status, 200);

    await page.getByText("Delete this M2M client…").click();
    await page.getByRole("button", { name: "Yes, delete it" }).click();
    await page.getByText("was deleted").waitFor();
    assert.equal((await server.call("GET", "/v1/m2m/clients/" + id)).status, 404);
  });

  run("rotate a secret", async (page) => {
    const { client_id: id, client_secret: first } = await server.client({ client_name: "Rotated" });
    await page.goto("clients/" + id);
    const step = () => page.locator("[aria-current=step]").innerText();
    assert.match(await step(), new RegExp("Start[^]*" + first.slice(-4)));
    await page.getByRole("button", { name: "Start a rotation" }).click();
    const next = await shownSecret(page);
    assert.match(await step(), new RegExp("Deliver[^]*" + next.slice(-4)));
    assert.match(await page.locator("#rotation").innerText(), new RegExp(first.slice(-4)), "both last fours");
    for (const secret of [first, next]) assert.equal((await server.token(id, secret)).status, 200, "both are accepted");

    await page.getByRole("button", { name: "Cancel the rotation" }).click();
    await page.getByText("The rotation was canceled.").waitFor();
    assert.equal((await server.token(id, next)).status, 400);

    await page.getByRole("button", { name: "Start a rotation" }).click();
    const last = await shownSecret(page);
    await page.getByRole("button", { name: "Complete the rotation" }).click();
    await page.getByText("The rotation is complete.").waitFor();
    assert.equal((await server.token(id, first)).status, 400);
    assert.equal((await server.token(id, last)).status, 200);
    assert.match(await step(), new RegExp("Start[^]*" + last.slice(-4)));
  });

  run("create and rotate a Connected App", async (page) => {
    await page.goto("apps/new");
    await page.getByLabel("Name").fill("Spreadsheet add-on");
    await page.getByLabel("Redirect URLs").fill("ftp://example.com");
    await page.getByRole("button", { name: "Create the app" }).click();
    assert.match(await page.locator("#redirect_urls-error").innerText(), /http/);
    await page.getByLabel("Redirect URLs").fill("http://localhost:3000/callback");
    await page.getByRole("button", { name: "Create the app" }).click();
    await page.getByText("The Connected App was created.").waitFor();
    assert.equal((await shownSecret(page)).length, 48);
    await page.getByRole("button", { name: "Start a rotation" }).click();
    await page.getByRole("button", { name: "Complete the rotation" }).click();
    await page.getByText("The rotation is complete.").waitFor();
  });

  run("travel in time", async (page) => {
    const { client_id: id, client_secret: secret } = await server.client({});
    const { access_token: token } = await server.token(id, secret);
    await page.goto("clock");
    await page.getByLabel("By a duration").fill("soon");
    await page.getByRole("button", { name: "Move" }).click();
    assert.match(await page.locator("#advance-error").innerText(), /90m/);
    await page.getByRole("button", { name: "1 day", exact: true }).click();
    await page.getByText("The clock is 1 day ahead.").waitFor();
    const read = async () => {
      await page.goto("tokens");
      await page.getByLabel("Token", { exact: true }).fill("Bearer " + token);
      await page.getByRole("button", { name: "Read", exact: true }).click();
    };
    await read();
    await page.getByText("Refused: it has expired.").waitFor();
    await page.goto("clock");
    await page.getByRole("button", { name: "Return to real time" }).click();
    await read();
    await page.getByText("Good: an API of this project accepts this token.").waitFor();
  });

  run("mint and read a token", async (page) => {
    const { client_id: id } = await server.client({ scopes: ["read:users", "write:invoices"] });
    const mint = async (preset, scopes = "") => {
      await page.goto("tokens?client=" + id);
      await page.getByLabel("What it is like").selectOption(preset);
      await page.getByLabel("Scopes", { exact: true }).fill(scopes);
      await page.getByRole("button", { name: "Mint" }).click();
      const token = await page.locator("#minted").innerText();
      await page.getByRole("button", { name: "Read it claim by claim" }).click();
      return token;
    };
    const verdict = () => page.locator("#reading-title + .banner").innerText();
    const refused = () => page.locator(".findings tr:has(.bad) th").allInnerTexts();
    const token = await mint("", "read:users");
    assert.match(await verdict(), /^Good/);
    assert.deepEqual(await refused(), []);
    for (const [preset, words, claims] of [
      ["expired", /expired/, ["exp"]],
      ["not_yet", /not valid yet/, ["iat", "nbf"]],
      ["wrong_aud", /another audience/, ["aud"]],
      ["wrong_iss", /issuer/, ["iss"]],
      ["unknown_kid", /no key/, ["kid"]],
      ["user_session", /session/, ["sub"]],
    ]) {
      await mint(preset);
      assert.match(await verdict(), words, preset);
      const found = await refused();
      for (const claim of claims) assert.ok(found.includes(claim), `${preset}: ${found} has ${claim}`);
    }
    await page.getByLabel("Token", { exact: true }).fill(token);
    await page.getByLabel("Scopes that you require").fill("write:invoices");
    await page.getByRole("button", { name: "Read", exact: true }).click();
    assert.match(await verdict(), /lacks a scope/);
    assert.deepEqual(await refused(), ["scope"]);
    const changed = token.replace(/\.[^.]*$/, (s) => (s[1] === "A" ? ".B" : ".A") + s.slice(2));
    await page.getByLabel("Token", { exact: true }).fill(changed);
    await page.getByLabel("Scopes that you require").fill("");
    await page.getByRole("button", { name: "Read", exact: true }).click();
    assert.match(await verdict(), /signature/);
  });

  run("keys", async (page) => {
    await server.admin("POST", "/keys/rotate", {});
    await page.goto("keys");
    const before = await page.locator("tbody tr").count();
    await page.getByRole("button", { name: "Make a new signing key" }).click();
    await page.getByText("There is a new signing key.").waitFor();
    assert.equal(await page.locator("tbody tr").count(), before + 1);
    await page.getByRole("button", { name: /^Remove/ }).first().click();
    await page.getByText("The key is no longer in the key set.").waitFor();
    assert.equal(await page.locator("tbody tr").count(), before);
  });

  run("behavior", async (page) => {
    const { client_id: id } = await server.client({});
    await page.goto("behavior");
    await page.getByLabel("start_while_rotating").selectOption("replace");
    await page.getByRole("button", { name: "Save" }).first().click();
    await page.getByText("1 switch differs from the default.").waitFor();
    const start = () => server.call("POST", `/v1/m2m/clients/${id}/secrets/rotate/start`, {});
    assert.deepEqual([(await start()).status, (await start()).status], [200, 200], "a second start replaces the next secret");
    await page.getByRole("button", { name: "Return all to their defaults" }).click();
    await page.getByText("1 switch differs from the default.").waitFor({ state: "detached" });
    await page.getByText("The next request meets the new behavior.").waitFor();
    assert.equal((await start()).status, 400);
    await page.getByLabel("secret_length", { exact: true }).fill("7");
    await page.getByRole("button", { name: "Save" }).first().click();
    assert.match(await page.locator("#secret_length-error").innerText(), /secret_length/);
  });

  run("export, import and reset", async (page) => {
    const { client_id: id, client_secret: secret } = await server.client({ client_name: "Exported" });
    await page.goto("data");
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "Export" }).click();
    const file = await (await download).path();
    const text = readFileSync(file, "utf8");
    assert.ok(text.includes(id) && !text.includes(secret) && !text.includes(server.secret), "no secret is exported");
    await page.getByText("Reset…").click();
    await page.getByRole("button", { name: "Yes, reset the project" }).click();
    await page.getByText("The project was reset:").waitFor();
    assert.equal((await server.call("GET", "/v1/m2m/clients/" + id)).status, 404);
    await page.getByLabel("File of an export").setInputFiles({ name: "state.json", mimeType: "application/json", buffer: Buffer.from("{}") });
    await page.getByRole("button", { name: "Import" }).click();
    await page.locator("#state-error").waitFor();
    await page.getByLabel("File of an export").setInputFiles(file);
    await page.getByRole("button", { name: "Import" }).click();
    await page.getByText("The state was imported:").waitFor();
    assert.equal((await server.token(id, secret)).status, 200, "hashes are in the export, so its clients still work");
  });
}
