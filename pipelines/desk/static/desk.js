// The desk's one script: live updates, keys, passkeys. Without it every page but signing works as plain forms.
"use strict";

const one = (selector, inside = document) => inside.querySelector(selector);
const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];

// ---- passkeys: the browser's answer goes into the form's hidden field, and the form is sent like any other.
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

async function ask(kind, options) {
  options.challenge = bytes(options.challenge);
  for (const list of [options.allowCredentials, options.excludeCredentials])
    for (const credential of list ?? []) credential.id = bytes(credential.id);
  if (kind === "create") options.user.id = bytes(options.user.id);
  const made = await navigator.credentials[kind]({ publicKey: options });
  const parts = kind === "create" ? ["clientDataJSON", "attestationObject"] : ["clientDataJSON", "authenticatorData", "signature"];
  const response = Object.fromEntries(parts.map((part) => [part, text(made.response[part])]));
  return { id: made.id, rawId: text(made.rawId), type: made.type, response, clientExtensionResults: {} };
}

for (const button of all("button[data-passkey]"))
  button.form.addEventListener("submit", async (event) => {
    if (button.form.elements.answer.value) return;
    event.preventDefault();
    const problem = one("[data-passkey-problem]", button.form);
    button.disabled = true;
    problem.hidden = true;
    try {
      const answer = await ask(button.dataset.passkey, JSON.parse(button.dataset.options));
      button.form.elements.answer.value = JSON.stringify(answer);
      button.form.submit();
    } catch (error) {
      problem.textContent = `The passkey did not answer (${error.name}). Try again.`;
      problem.hidden = false;
      button.disabled = false;
    }
  });

// ---- live updates: the server says what changed; a page that shows it asks for itself again.
const typed = () => all("main form").some((form) =>
  [...form.elements].some((field) => field.type === "checkbox" ? field.checked !== field.defaultChecked
    : "defaultValue" in field && field.type !== "hidden" && field.value !== field.defaultValue));

async function refresh() {
  const live = one("#live");
  if (!live) return;
  if (typed() || live.contains(document.activeElement)) {
    one("#fresh").hidden = false;
    return;
  }
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok || answer.redirected) return location.reload();
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = one("#live", next);
  if (!fresh || one("main form.bulk", next)?.length !== one("main form.bulk")?.length) one("main").replaceChildren(...one("main", next).childNodes);
  else live.replaceWith(fresh);
  one("[aria-current=page]")?.scrollIntoView({ block: "nearest", inline: "center" });
prepare();
}

function count(counts) {
  for (const [name, number] of Object.entries(counts)) {
    const badge = one(`[data-count="${name}"]`);
    if (!badge) continue;
    const before = Number(badge.textContent.replace(/\D/g, ""));
    badge.textContent = number.toLocaleString("en");
    badge.hidden = number === 0;
    if (name === "held" && number > before) one("#said").textContent = `${number} held actions wait.`;
  }
}

if (one("[data-count]")) {
  const source = new EventSource("/events");
  source.addEventListener("changed", (event) => {
    const { what, counts } = JSON.parse(event.data);
    count(counts);
    const watched = (one("#live")?.dataset.live ?? "").split(" ");
    if (what.some((name) => watched.includes(name))) refresh();
  });
  addEventListener("pagehide", () => source.close());
  setInterval(() => one("#live .time") && !typed() && refresh(), 60_000); // how long is left
}

// ---- keys: j and k walk, other keys press what carries them; g and a letter goes to a page; ? lists them.
const KEYS = "single keys";
let going = false;

function walk(step) {
  const items = all("[data-item]");
  const here = items.indexOf(document.activeElement);
  items[Math.min(items.length - 1, Math.max(0, here < 0 ? 0 : here + step))]?.focus();
}

function press(target) {
  const reason = target.form?.elements.reason;
  if (target.matches("button[type=submit]") && reason && !reason.value.trim()) return reason.focus();
  if (target.matches("a, button, summary")) return target.click();
  target.focus();
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || localStorage.getItem(KEYS) === "off") return;
  if (event.target.matches("input:not([type=checkbox]), textarea, select") || one("dialog[open]")) {
    if (event.key === "Escape" && !one("dialog[open]")) event.target.blur();
    return;
  }
  const target = going ? one(`[data-go="${CSS.escape(event.key)}"]`) : one(`[data-key="${CSS.escape(event.key)}"], [data-press="${CSS.escape(event.key)}"]`);
  const went = going;
  going = !went && event.key === "g";
  if (target) press(target);
  else if (event.key === "j" || event.key === "k") walk(event.key === "j" ? 1 : -1);
  else if (event.key === "x") document.activeElement.closest("tr")?.querySelector("input[type=checkbox]")?.click();
  else return;
  event.preventDefault();
});

function help() {
  const rows = [["j", "Next in the list"], ["k", "The one before"], ["x", "Choose the row"]];
  for (const target of all("main [data-key]")) rows.push([target.dataset.key, target.title]);
  for (const target of all("[data-go]")) rows.push([`g ${target.dataset.go}`, target.firstChild.textContent.trim()]);
  one("#help-keys").replaceChildren(...rows.flatMap(([key, what]) => {
    const name = document.createElement("dt"), said = document.createElement("dd"), shown = document.createElement("kbd");
    shown.textContent = key;
    said.textContent = what;
    name.append(shown);
    return [name, said];
  }));
  one("#help").showModal();
}

function prepare() {
  const pick = one("#pick-all");
  if (pick) {
    pick.hidden = false;
    pick.onclick = () => {
      const boxes = all("input[name=row]");
      const on = boxes.some((box) => !box.checked);
      for (const box of boxes) box.checked = on;
    };
  }
}

if (one("#help-open")) {
  one("#help-open").hidden = false;
  one("#help-open").addEventListener("click", help);
  const on = one("#keys-on");
  on.checked = localStorage.getItem(KEYS) !== "off";
  on.addEventListener("change", () => localStorage.setItem(KEYS, on.checked ? "on" : "off"));
}
one("[aria-current=page]")?.scrollIntoView({ block: "nearest", inline: "center" });
prepare();
