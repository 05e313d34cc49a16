// A server with an admin token.
import assert from "node:assert/strict";
import test from "node:test";
import { withPage } from "./browser.mjs";
import { look } from "./pages.mjs";

export function guarded(server, token) {
  test("sign in and out", withPage(server, {}, async (page, context) => {
    await page.goto("clients");
    await page.waitForURL("**/sign-in?next=*");
    await look(page, "sign-in");
    await page.getByLabel("Admin token").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    assert.match(await page.locator("#token-error").innerText(), /not the admin token/);
    await page.getByLabel("Admin token").fill(token);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL("**/clients");
    const [cookie] = (await context.cookies()).filter((c) => c.name.includes("session"));
    assert.ok(cookie.httpOnly && cookie.sameSite === "Strict" && cookie.path === "/_emulator/" && !cookie.value.includes(token));

    await page.goto("clients/new");
    await page.getByLabel("Name").fill("Guarded");
    await page.getByLabel("Scopes").fill("read:users");
    await page.getByRole("button", { name: "Create the client" }).click();
    await page.getByText("The M2M client was created.").waitFor();

    const forged = await page.evaluate(async () => (await fetch("clients/new", { method: "POST", body: new URLSearchParams({ client_name: "Forged" }) })).status);
    assert.equal(forged, 403, "a form without its token is refused");

    await page.goto("requests");
    await page.locator("#live.on").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL("**/sign-in");
    await page.goto("");
    await page.waitForURL("**/sign-in?next=*");
    assert.equal((await page.request.get("requests/stream")).status(), 403);
  }));
}
