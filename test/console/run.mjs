// Tests the console in Chromium. `make console-test` starts it with servers to test: see console_test.go.
import { after } from "node:test";
import { close, connect } from "./browser.mjs";
import { flows } from "./flows.mjs";
import { guarded } from "./guarded.mjs";
import { hostile } from "./hostile.mjs";
import { keyboard } from "./keyboard.mjs";
import { live } from "./live.mjs";
import { pages } from "./pages.mjs";
import { reference } from "./reference.mjs";

const servers = JSON.parse(process.env.CONSOLE_SERVERS);
after(close);

pages(connect(servers.open));
reference(connect(servers.open), servers.reference);
flows(connect(servers.open));
flows(connect(servers.open), { javaScriptEnabled: false }, ["create a client", "rotate a secret", "travel in time", "behavior"]);
live(connect(servers.open));
keyboard(connect(servers.open));
hostile(connect(servers.open));
guarded(connect(servers.guarded), servers.guarded.token);
