// Every page: axe finds no violation, nothing is wider than the window, and screenshots for people to look at.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import test from "node:test";
import { overflow, withPage } from "./browser.mjs";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const { CONSOLE_SCREENSHOTS: folder, CONSOLE_PICTURE: picture } = process.env;

// check runs axe in a page whose policy lets no script in: it comes over the debugging protocol. In dark colors
// nothing differs but the contrast. It loads no style sheet again, which a page from a file could not.
async function check(page, what, colorScheme) {
  await page.evaluate(axeSource);
  const violations = await page.evaluate(async (rules) => {
    const { violations } = await window.axe.run(document, { resultTypes: ["violations"], preload: false, ...(rules && { runOnly: rules }) });
    return violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.target.join(" ")).slice(0, 5).join(", ")}`);
  }, colorScheme === "dark" && ["color-contrast", "link-in-text-block"]);
  assert.deepEqual(violations, [], what);
}

// look takes a page through both color schemes and all widths. 640 pixels is a window of 1280 at a zoom of 200 %.
export async function look(page, name, { axe = true } = {}) {
  mkdirSync(folder, { recursive: true });
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const width of [390, 640, 1280]) {
      await page.setViewportSize({ width, height: 900 });
      const what = `${name}, ${width} pixels, ${colorScheme}`;
      assert.equal(await overflow(page), 0, what + ": nothing is wider than the window");
      if (width === 640) continue;
      if (axe && (width === 1280 || colorScheme === "light")) await check(page, what, colorScheme);
      await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: !name.startsWith("reference") });
    }
  }
}

export function pages(server) {
  const see = (name, path, prepare = async () => {}) =>
    test("look at " + name, withPage(server, {}, async (page) => {
      await page.goto(typeof path === "function" ? await path() : path);
      await prepare(page);
      await look(page, name);
    }));

  see("requests-empty", async () => {
    await server.admin("DELETE", "/requests");
    return "requests";
  });
  see("clients", async () => {
    const names = ["Billing worker", "Nightly export", "Invoice importer", "Search indexer", "Mail gateway"];
    for (const [i, client_name] of names.entries()) {
      const client = await server.client({ client_name, scopes: ["read:users", "write:invoices"].slice(0, 1 + (i % 2)) });
      for (let n = 0; n <= 5 - i; n++) await server.token(client.client_id, client.client_secret);
    }
    return "clients";
  });
  see("clients-new", "clients/new", async (page) => {
    await page.getByLabel("Trusted metadata").fill("{");
    await page.getByRole("button", { name: "Create the client" }).click();
    await page.locator("#trusted_metadata-error").waitFor();
  });
  see("client-rotating", async () => {
    const { client_id: id } = await server.client({ client_name: "Billing worker", client_description: "Charges cards at night", scopes: ["read:users", "write:invoices"], trusted_metadata: { team: "billing", tier: 2 } });
    return "clients/" + id;
  }, (page) => page.getByRole("button", { name: "Start a rotation" }).click());
  see("apps", async () => {
    for (const client_type of ["first_party", "third_party_public"]) {
      await server.call("POST", "/v1/connected_apps/clients", { client_type, client_name: "Spreadsheet add-on", redirect_urls: ["https://addon.example.com/callback"] });
    }
    return "apps";
  });
  see("apps-new", "apps/new");
  see("app", async () => {
    const { connected_app: app } = await server.call("POST", "/v1/connected_apps/clients", { client_type: "third_party_public", client_name: "Calendar" });
    return "apps/" + app.client_id;
  });
  see("faults", async () => {
    await server.admin("POST", "/faults", { operation: "StartM2MClientSecretRotation", kind: "drop_response", times: 1 });
    await server.admin("POST", "/faults", { operation: "SearchM2MClients", kind: "latency", latency: "2s", each: 3 });
    return "faults?operation=StartM2MClientSecretRotation";
  });
  see("requests", async () => {
    await server.admin("POST", "/faults", { operation: "StartM2MClientSecretRotation", kind: "drop_response", times: 1 });
    const { client_id: id, client_secret: secret } = await server.client({ client_name: "Struck" });
    await server.token(id, secret);
    await server.token(id, "wrong-" + "x".repeat(20));
    await server.call("GET", "/v1/m2m/client/" + id);
    await server.call("POST", `/v1/m2m/clients/${id}/secrets/rotate/start`, {}).catch(() => {});
    return "requests";
  });
  see("request", async () => "requests/" + (await server.admin("GET", "/requests?limit=1")).last);
  see("overview", "", async (page) => {
    if (picture) {
      await page.setViewportSize({ width: 1200, height: 800 });
      await page.screenshot({ path: picture });
    }
  });
  see("clock", async () => {
    await server.admin("PUT", "/clock", { advance: "25h" });
    return "clock";
  });
  see("tokens", async () => {
    const { client_id: id } = await server.client({ client_name: "Billing worker" });
    return "tokens?client=" + id;
  }, async (page) => {
    await page.getByLabel("What it is like").selectOption("wrong_aud");
    await page.getByRole("button", { name: "Mint" }).click();
    await page.getByRole("button", { name: "Read it claim by claim" }).click();
    await page.locator(".findings").waitFor();
  });
  see("keys", async () => {
    await server.admin("POST", "/keys/rotate", {});
    return "keys";
  });
  see("behavior", "behavior");
  see("data", "data");
  test("look at the reference", withPage(server, {}, async (page) => {
    await page.goto("reference");
    await look(page, "reference", { axe: false }); // reference.mjs takes axe through the same content
  }));
  see("not-found", "nothing");

  test("nothing moves for who asked for less motion", withPage(server, { reducedMotion: "reduce" }, async (page) => {
    await page.goto("requests");
    await page.locator("#live.on").waitFor();
    await server.client({});
    const row = page.locator("#rows tr.new").first();
    await row.waitFor();
    assert.equal(await row.evaluate((e) => getComputedStyle(e).animationName), "none");
  }));
}
