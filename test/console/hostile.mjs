// Names are shown as text, on every page.
import assert from "node:assert/strict";
import test from "node:test";
import { overflow, withPage } from "./browser.mjs";

const names = {
  script: "<script>window.owned = true</script><img src=x onerror='window.owned = true'>",
  direction: "invoice\u202Egnp.exe\u200F\u2066",
  long: "W".repeat(10_000),
  quotes: `" onmouseover="window.owned = true" x='{{.}}`,
  breaks: "line\r\nbreak\u0000\u2028end",
};

export function hostile(server) {
  test("hostile names", withPage(server, {}, async (page) => {
    for (const [kind, name] of Object.entries(names)) {
      const client_id = kind === "script" ? "<img src=x onerror=window.owned=true>" : undefined;
      const { client_id: id } = await server.client({ client_name: name.replace("\u0000", ""), client_description: name.replace("\u0000", ""), client_id });
      const { connected_app: app } = await server.call("POST", "/v1/connected_apps/clients", { client_type: "first_party", client_name: name.replace("\u0000", "") });
      for (const path of ["clients/" + encodeURIComponent(id), "clients?q=" + encodeURIComponent(id), "apps/" + app.client_id, "apps?q=" + app.client_id, "tokens?client=" + encodeURIComponent(id), "requests?client=" + encodeURIComponent(id)]) {
        await page.setViewportSize({ width: 390, height: 800 });
        await page.goto(path);
        await check(page, kind + ", " + path);
      }
    }
    await fetch(server.url + "/v1/%3Cscript%3Ewindow.owned=true%3C/script%3E%E2%80%AE");
    for (const path of ["requests", "", "requests/" + (await server.admin("GET", "/requests?limit=1")).last]) {
      await page.goto(path);
      assert.match(await page.locator("main").innerText(), /script/);
      await check(page, path);
    }
    await page.goto("clients/%3Cscript%3Ewindow.owned=true%3C%2Fscript%3E");
    await check(page, "an unknown id");
  }));

  test("hostile names arrive live", withPage(server, {}, async (page) => {
    await page.goto("requests");
    await page.locator("#live.on").waitFor();
    await fetch(server.url + "/live/%3Cimg%20src=x%20onerror=window.owned=true%3E%E2%80%AE");
    await page.locator("#rows tr.new").filter({ hasText: "/live/" }).waitFor();
    await check(page, "live");
  }));
}

async function check(page, what) {
  assert.equal(await page.evaluate(() => window.owned), undefined, what + ": nothing of it runs");
  const text = await page.locator("main").innerText();
  assert.doesNotMatch(text, /[\u202A-\u202E\u2066-\u2069\u200E\u200F]/, what + ": no character turns the direction");
  assert.ok(text.length < 60_000, what + ": lists stay short");
  assert.ok((await overflow(page)) <= 0, what + ": nothing is wider than the window");
}
