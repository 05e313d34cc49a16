// What pages do with JavaScript: copy, show the fields that a fault takes, and follow the request log.
"use strict";

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break; // only pages that the browser trusts may copy
  button.hidden = false;
  const label = button.firstChild;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
      label.data = "Copied";
    } catch {
      label.data = "Not copied";
    }
    setTimeout(() => (label.data = "Copy"), 2000);
  });
}

const side = document.querySelector(".side");
const current = side?.querySelector("[aria-current]");
if (current) side.scrollLeft = current.offsetLeft - (side.clientWidth - current.offsetWidth) / 2; // on phones the list scrolls

for (const select of document.querySelectorAll("[data-kinds]")) {
  const always = ["latency", "times", "after", "each"];
  const update = () => {
    const { fields: listed, description } = select.selectedOptions[0].dataset;
    const fields = listed.split(" ");
    select.form.querySelector("[data-describe]").textContent = description;
    for (const field of select.form.querySelectorAll("[data-field]")) {
      const name = field.dataset.field;
      field.hidden = !fields.includes(name) && !always.includes(name);
      for (const input of field.querySelectorAll("input")) input.disabled = field.hidden;
    }
  };
  select.addEventListener("change", update);
  update();
}

const live = document.getElementById("live");
if (live) follow();

function follow() {
  const rows = document.getElementById("rows");
  const state = document.getElementById("live-state");
  const pause = document.getElementById("pause");
  const template = document.getElementById("row");
  const maxRows = 1000;
  let last = Number(live.dataset.after);
  let arrived = 0;
  let waiting = [];
  let paused = false;
  let connection = "Connecting…";
  let timer = 0;
  live.hidden = false;

  // One tab has the stream and passes on what it gets: browsers open few connections to one server.
  const channel = new BroadcastChannel("stytch-emulator:" + location.origin);
  const recent = []; // what this tab got from the stream, for tabs that were just opened
  channel.addEventListener("message", ({ data }) => {
    if (data.since === undefined) return receive(data);
    for (const request of recent) if (request.id > data.since) channel.postMessage({ request });
    if (recent.source) channel.postMessage({ status: connection });
  });
  channel.postMessage({ since: last });
  const say = (message) => {
    channel.postMessage(message);
    receive(message);
  };
  if (navigator.locks) {
    navigator.locks.request("stytch-emulator:" + location.origin, () => new Promise(listen));
  } else {
    listen();
  }
  function listen() {
    const source = (recent.source = new EventSource(live.dataset.stream + "?after=" + last));
    source.addEventListener("open", () => say({ status: "Live" }));
    source.addEventListener("error", () => say({ status: "Not connected, trying again" }));
    source.addEventListener("gap", () => say({ status: "Some requests were left out: load the page again" }));
    source.addEventListener("request", (event) => {
      const request = JSON.parse(event.data);
      recent.push(request);
      if (recent.length > maxRows) recent.shift();
      say({ request });
    });
  }

  function receive({ status: text, request }) {
    if (text) return status(text);
    if (!request || request.id <= last) return;
    last = request.id;
    if (!matches(request)) return;
    if (paused) {
      waiting.push(request);
      announce();
      return;
    }
    show(request);
    arrived++;
    announce();
  }

  function matches(r) {
    const { operation, outcome, client } = live.dataset;
    const is = r.status === 0 ? "dropped" : r.status >= 400 ? "refused" : "good";
    return (!operation || operation === r.operation) && (!outcome || outcome === is) && (!client || client === r.client_id);
  }

  // Everything is set as text: paths and ids come from anyone.
  function show(r) {
    document.getElementById("log").hidden = false;
    const empty = document.getElementById("empty");
    if (empty) empty.hidden = true;
    const row = template.content.cloneNode(true).firstElementChild;
    const [number, time, outcome, what, duration] = row.children;
    number.firstElementChild.textContent = r.id;
    number.firstElementChild.href = live.dataset.page + r.id;
    time.textContent = new Date(r.time).toISOString().slice(11, 23);
    const badge = outcome.firstElementChild;
    badge.textContent = r.status || "no response";
    badge.classList.add(r.status && r.status < 400 ? "good" : "bad");
    const add = (name, className, text) => {
      const element = document.createElement(name);
      element.className = className;
      element.textContent = text;
      what.append(element);
    };
    add("span", "mono method", r.method);
    what.append(" ", r.operation || clip(visible(r.path), 80));
    if (r.client_id) add("bdi", "mono id", clip(visible(r.client_id), 80));
    if (r.reason) add("span", "reason", clip(visible(r.reason), 240));
    const ms = r.duration_ms || 0;
    duration.textContent = ms < 10 ? ms.toFixed(1) + " ms" : Math.round(ms) + " ms";
    row.classList.add("new");
    rows.prepend(row);
    while (rows.children.length > maxRows && !rows.lastElementChild.contains(document.activeElement)) rows.lastElementChild.remove();
  }

  function visible(text) {
    return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (c) => "⟨U+" + c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0") + "⟩");
  }

  function clip(text, limit) {
    const characters = [...text];
    return characters.length > limit ? characters.slice(0, limit).join("") + "…" : text;
  }

  function status(text) {
    connection = text;
    live.classList.toggle("on", text === "Live");
    announce();
  }

  // A reader hears of many requests at once, not of each.
  function announce() {
    if (timer) return;
    timer = setTimeout(() => {
      timer = 0;
      if (paused) state.textContent = "Paused. " + waiting.length + " new.";
      else state.textContent = connection + (arrived ? ". " + arrived + " new since you came." : "");
    }, 400);
  }

  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", paused);
    pause.textContent = paused ? "Resume" : "Pause";
    live.classList.toggle("paused", paused);
    if (!paused) {
      arrived += waiting.length;
      for (const request of waiting.splice(0)) show(request);
    }
    announce();
  });
}
