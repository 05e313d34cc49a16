// The live view of the request log: faults strike before one's eyes, one stream per browser, pause, focus.
import assert from "node:assert/strict";
import test from "node:test";
import { withPage } from "./browser.mjs";

const connected = (page) => page.locator("#live.on").waitFor();
const rows = (page) => page.locator("#rows tr");

export function live(server) {
  test("a fault strikes live", withPage(server, {}, async (page, context) => {
    const { client_id: id } = await server.client({ client_name: "Struck" });
    await page.goto("requests?operation=GetM2MClient");
    await connected(page);
    const faults = await context.newPage();
    await faults.goto("faults");
    await faults.getByText("GetM2MClient", { exact: true }).click();
    const form = faults.locator("details[open]").filter({ hasText: "GetM2MClient" });
    assert.equal(await form.getByLabel("What happens").inputValue(), "drop_response", "the most useful fault comes first");
    await form.getByRole("button", { name: "Inject" }).click();
    await faults.getByText("1 fault is active.").waitFor();
    await assert.rejects(server.call("GET", "/v1/m2m/clients/" + id), "the response is dropped");
    const row = rows(page).filter({ hasText: "no response" }).first();
    await row.waitFor();
    assert.match(await row.innerText(), /GetM2MClient[^]*fault/);
    await row.getByRole("link").click();
    await page.getByRole("heading", { name: "Timeline" }).waitFor();
    assert.match(await page.locator(".timeline").innerText(), /A fault struck[^]*No response/);
    assert.match(await page.locator("#curl").innerText(), /\$STYTCH_PROJECT_SECRET/);
    await faults.reload();
    await faults.getByRole("button", { name: "Remove all" }).click();
    assert.equal(await faults.getByText("fault is active").count(), 0);
  }));

  test("a fault that cannot be is refused beside its field", withPage(server, {}, async (page) => {
    await page.goto("faults?operation=IssueM2MToken");
    const form = page.locator("details[open]").first();
    await form.getByLabel("What happens").selectOption("status");
    await form.getByLabel("Status").fill("99");
    await form.getByRole("button", { name: "Inject" }).click();
    const open = page.locator("details[open]").first();
    assert.equal(await open.getByLabel("Status").inputValue(), "99");
    assert.match(await open.locator("[data-field=status] .error").innerText(), /status/);
  }));

  test("a wrong secret is explained", withPage(server, {}, async (page) => {
    const { client_id: id } = await server.client({});
    await page.goto("requests");
    await connected(page);
    await server.token(id, "wrong-" + "x".repeat(20));
    const row = rows(page).filter({ hasText: id }).first();
    await row.waitFor();
    await row.getByRole("link").click();
    assert.match(await page.locator(".banner.bad").innerText(), /secret/);
  }));

  test("one stream for all tabs", withPage(server, {}, async (first, context) => {
    const streams = [];
    context.on("request", (request) => request.url().includes("/requests/stream") && streams.push(request.frame().page()));
    const second = await context.newPage();
    await first.goto("requests");
    await connected(first);
    await second.goto("requests");
    await connected(second);
    const arrives = async (page) => {
      const { client_id: id } = await server.client({});
      await rows(page).filter({ hasText: id }).or(rows(page).filter({ hasText: "CreateM2MClient" })).first().waitFor();
      return id;
    };
    const before = await rows(second).count();
    await server.client({});
    for (const page of [first, second]) await page.waitForFunction((n) => document.querySelectorAll("#rows tr").length > n, before);
    assert.deepEqual(streams.map((page) => page === first), [true], "the second tab has no stream of its own");
    await first.close();
    await second.waitForFunction(() => document.querySelector("#live").classList.contains("on"));
    const count = await rows(second).count();
    await arrives(second);
    await second.waitForFunction((n) => document.querySelectorAll("#rows tr").length > n, count);
    assert.equal(streams.length, 2, "it takes over when the first one is closed");
  }));

  test("pause, and focus stays", withPage(server, {}, async (page) => {
    await server.client({});
    await page.goto("requests");
    await connected(page);
    const link = rows(page).first().getByRole("link");
    await link.focus();
    const number = await link.innerText();
    await server.client({});
    await page.waitForFunction((n) => document.querySelector("#rows a").textContent !== n, number);
    assert.equal(await page.evaluate(() => document.activeElement.textContent), number, "new rows leave the focus where it is");

    await page.getByRole("button", { name: "Pause" }).click();
    const count = await rows(page).count();
    await server.client({});
    await page.getByText("Paused. 1 new.").waitFor();
    assert.equal(await rows(page).count(), count);
    assert.equal(await page.locator("#live-state").getAttribute("aria-live"), "polite");
    await page.getByRole("button", { name: "Resume" }).click();
    assert.equal(await rows(page).count(), count + 1);
  }));
}
