// What all parts use: the data, the words for it, and how elements are made.

// Everything that comes from an execution gets onto the page as text, never as markup.
const page = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const root = document.documentElement;
const GROUPS = {
  SUCCEEDED: "Succeeded", FAILED: "Failed", TIMED_OUT: "Failed", STOPPED: "Stopped", CANCELLED: "Stopped",
  STARTED: "Open", PENDING: "Open", READY: "Open", RUNNING: "Open",
};
const STYLES = { Succeeded: "good", Failed: "bad", Stopped: "warn", Open: "busy" };
const MARKS = { Succeeded: "✓", Failed: "✗", Stopped: "■", Open: "…" };
const ENDS = {
  SUCCEEDED: ["✓", "good"], FAILED: ["✗", "bad"], TIMED_OUT: ["✗", "bad"], STOPPED: ["■", "warn"],
  CANCELLED: ["⊘", "warn"], INTERRUPTED: ["✗", "bad"],
};
const SPANS = {
  ATTEMPT: "attempt", RETRY: "delay before attempt", WAIT: "wait", CALLBACK: "callback open", INVOKE: "invoke", CONTEXT: "context",
};
const ENDINGS = {
  SUSPENDED: "suspended", SUCCEEDED: "succeeded", FAILED: "failed", CRASHED: "crashed", RUNNING: "still running", CUT_OFF: "not told",
};
const SOME_EVENTS = 300, ZOOM = 1.5, MOST_ZOOM = 200, MARGIN = 0.012;

let run, rows, chosen, zoom, linear, pressed, shownEvents, folded;

function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function duration(millis) {
  if (millis < 60000) return `${Math.round(millis) / 1000} s`;
  let rest = Math.floor(millis / 1000);
  const parts = [];
  for (const [name, size] of [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]]) {
    if (rest >= size) parts.push(`${Math.floor(rest / size)} ${name}`);
    rest %= size;
  }
  return parts.slice(0, 2).join(" ");
}

const instant = (millis) => new Date(run.start + millis).toISOString().replace("T", " ").replace(".000Z", "Z");
const group = (status) => GROUPS[status] || "Open";
const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
const at = (order) => run.moments[order];
const typing = (target) => target.matches("input, textarea, select");

function pretty(text) {
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === "object" ? JSON.stringify(value, null, 2) : text;
  } catch {
    return text;
  }
}

/** The parts of a datum: [label, text, length if it was shortened]. */
function parts(label, value) {
  if (value === null || value === undefined) return [];
  if (typeof value === "string") return [[label, value, 0]];
  if (value.error) {
    const { type, message, ...rest } = value.error, line = [type, message];
    const short = line.every((each) => !each || (typeof each === "string" && each.length <= 200));
    const head = short ? [[label, line.filter(Boolean).join(": ") || "no details", 0]] : [...parts(`${label} type`, type), ...parts(label, message)];
    return [...head, ...Object.entries(rest).flatMap(([key, each]) => parts(`${label} ${key}`, each))];
  }
  if (value.at !== undefined) return [[label, `${duration(value.at)} (${instant(value.at)})`, 0]];
  return [[label, value.text, value.length]];
}

function payload([label, text, length]) {
  const shortened = length ? el("p", { class: "cut" }, `The first ${text.length.toLocaleString("en")} of ${length.toLocaleString("en")} characters.`) : null;
  return el("div", {}, el("dt", {}, label.replaceAll("_", " ")), el("pre", { tabindex: "0" }, length ? text : pretty(text)), shortened);
}

function datum(part) {
  const [label, text, length] = part;
  const said = label.replaceAll("_", " ");
  if (!length && text.length <= 120 && !text.includes("\n")) return el("div", { class: "datum" }, el("span", {}, said), el("code", {}, text));
  const size = length || text.length;
  const summary = el("summary", {}, el("span", { class: "count" }, `${said} (${count(size, "character")}) `), el("code", {}, text.slice(0, 80) + "…"));
  const holder = el("details", {}, summary);
  holder.addEventListener("toggle", () => { if (holder.open && holder.children.length === 1) holder.append(payload(part)); });
  return holder;
}
