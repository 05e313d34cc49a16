// The browser, and what all tests do with it.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const { CONSOLE_CHROMIUM: executablePath } = process.env;
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });

export const close = () => browser.close();

// open is a fresh browser profile with one tab. Whatever its pages report as an error fails the test.
export async function open(server, options = {}) {
  const context = await browser.newContext({ baseURL: server.console, viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(15_000);
  const problems = [];
  context.on("console", (message) => message.type() === "error" && !/status of 4\d\d/.test(message.text()) && problems.push(message.text()));
  context.on("weberror", (problem) => problems.push(String(problem.error())));
  const page = await context.newPage();
  return {
    context,
    page,
    async done() {
      await context.close();
      assert.deepEqual(problems, [], "errors of the pages");
    },
  };
}

// withPage runs a test in a profile of its own, in real time and without faults.
export const withPage = (server, options, run) => async (t) => {
  await server.admin("DELETE", "/faults");
  await server.admin("PUT", "/clock", { real: true });
  const tab = await open(server, options);
  try {
    await run(tab.page, tab.context, t);
  } finally {
    await tab.done();
  }
};

// A server as a service sees it: the API of Stytch and the admin API.
export function connect({ url, project, secret, token }) {
  const basic = "Basic " + Buffer.from(project + ":" + secret).toString("base64");
  return {
    url,
    project,
    secret,
    console: url + "/_emulator/",
    async call(method, path, body) {
      const headers = { Authorization: basic, "Content-Type": "application/json" };
      const response = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) });
      return { status: response.status, ...(await response.json()) };
    },
    async token(client_id, client_secret) {
      const body = new URLSearchParams({ grant_type: "client_credentials", client_id, client_secret });
      const response = await fetch(`${url}/v1/public/${project}/oauth2/token`, { method: "POST", body });
      return { status: response.status, ...(await response.json()) };
    },
    async admin(method, path, body) {
      const headers = { "Content-Type": "application/json", ...(token && { Authorization: "Bearer " + token }) };
      const response = await fetch(`${url}/_emulator/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
      return response.status === 204 ? null : await response.json();
    },
    async client(fields) {
      const { m2m_client: client } = await this.call("POST", "/v1/m2m/clients", { scopes: ["read:users"], ...fields });
      assert.ok(client, "the client was created");
      return client;
    },
  };
}

// shownSecret is the secret that a page shows.
export const shownSecret = (page) => page.locator("#secret").innerText();

// overflow is how much wider than the window a page is.
export const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
