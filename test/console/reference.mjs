// The static API reference, which a browser opens without a server.
import assert from "node:assert/strict";
import test from "node:test";
import { withPage } from "./browser.mjs";
import { look } from "./pages.mjs";

export function reference(server, address) {
  test("look at the static reference", withPage(server, {}, async (page) => {
    const requests = [];
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(address);
    await look(page, "reference-static");
    const folder = address.slice(0, address.lastIndexOf("/") + 1);
    assert.deepEqual(requests.filter((url) => !url.startsWith(folder)), [], "nothing comes from elsewhere");
    const { links, dead, twice } = await page.evaluate(() => {
      const targets = [...document.querySelectorAll("a[href^='#']")].map((a) => decodeURIComponent(a.hash.slice(1)));
      const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
      return { links: targets.length, dead: targets.filter((t) => !ids.includes(t)), twice: ids.filter((id, i) => ids.indexOf(id) !== i) };
    });
    assert.ok(links > 100, "links within the page");
    assert.deepEqual(dead, [], "links that lead nowhere");
    assert.deepEqual(twice, [], "ids that occur twice");

    await page.setViewportSize({ width: 390, height: 900 });
    assert.equal(await page.locator("#CreateM2MClient h3 .state").innerText(), "shown-once");
    for (const certainty of ["documented", "observed", "assumed"]) {
      assert.ok((await page.locator(".operation .certainty." + certainty).count()) > 0, certainty);
    }
    for (const [what, selector] of [["safety", "#CreateM2MClient h3 .state"], ["an error", "#error-duplicate_m2m_client_id th"], ["an example", "#CreateM2MClient figure pre"]]) {
      const box = await page.locator(selector).first().boundingBox();
      assert.ok(box && box.x >= 0 && box.x + box.width <= 390, `${what} fits on a phone: ${JSON.stringify(box)}`);
    }
  }));
}
