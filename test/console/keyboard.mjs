// The console without a mouse.
import assert from "node:assert/strict";
import test from "node:test";
import { shownSecret, withPage } from "./browser.mjs";

// tabTo presses Tab until the focus is on an element with this name, and wants the focus to be seen on the way.
async function tabTo(page, name) {
  for (let i = 0; i < 80; i++) {
    await page.keyboard.press("Tab");
    const focus = await page.evaluate(() => {
      const e = document.activeElement;
      const style = getComputedStyle(e);
      const box = e.getBoundingClientRect();
      return {
        name: e.labels?.[0]?.textContent.trim() || e.getAttribute("aria-label") || e.textContent.trim(),
        visible: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && box.width > 0,
      };
    });
    assert.ok(focus.visible, `the focus on "${focus.name}" is visible`);
    if (focus.name === name) return;
  }
  assert.fail(`Tab does not lead to "${name}"`);
}

export function keyboard(server) {
  test("create and rotate with the keyboard", withPage(server, {}, async (page) => {
    await page.goto("");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the content");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "content");
    await page.goto("");
    await tabTo(page, "M2M clients");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/clients");
    await tabTo(page, "Create a M2M client");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/clients/new");
    await tabTo(page, "Name");
    await page.keyboard.type("By keyboard");
    await tabTo(page, "Scopes");
    await page.keyboard.type("read:users");
    await tabTo(page, "Create the client");
    await page.keyboard.press("Space");
    await page.getByText("The M2M client was created.").waitFor();
    assert.equal((await shownSecret(page)).length, 48);
    await tabTo(page, "Start a rotation");
    await page.keyboard.press("Enter");
    await page.getByText("The rotation has started.").waitFor();
    await tabTo(page, "Complete the rotation");
    await page.keyboard.press("Enter");
    await page.getByText("The rotation is complete.").waitFor();
  }));
}
