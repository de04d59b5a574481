(() => {
  "use strict";
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

  // ---------------------------------------------------------------------------------------------- small things

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

  // -------------------------------------------------------------------------------------------------- payloads

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

  // ---------------------------------------------------------------------------------------------------- header

  function header() {
    const status = $("status"), style = STYLES[group(run.status)];
    status.textContent = run.status.replace("_", " ");
    status.className = `pill ${style}`;
    $("name").textContent = run.name;
    $("test").textContent = page.test || "";
    $("test").hidden = !page.test;
    $("arn").textContent = run.arn;
    const facts = [[["RUNNING", "PAUSING", "PAUSED"].includes(run.status) ? "so far" : "took", duration(run.end)], ["", count(run.invocations.length, "invocation")], ["", count(run.lanes.length, "operation")], ["started", instant(0)]];
    $("facts").replaceChildren(...facts.map(([label, text]) => el("li", {}, label ? `${label} ` : "", el("b", {}, text))));
    $("outcome").replaceChildren(...outcome());
    const names = page.executions.map((each) => each.name);
    $("executions").hidden = page.executions.length < 2;
    $("executions").replaceChildren(...page.executions.map((each, number) =>
      el("button", { type: "button", "aria-current": each === run ? "true" : null, onclick: () => open(number, true) },
        el("span", { class: STYLES[group(each.status)] }, MARKS[group(each.status)]), ` ${names.indexOf(each.name) < number ? `${each.name} (${number + 1})` : each.name}`)),
      page.left ? el("span", { class: "count" }, `and ${page.left} more, which are not on this page`) : "");
  }

  function outcome() {
    const boxes = [];
    for (const [title, value, style] of [["Error", run.error, "bad"], ["Result", run.result, "good"]]) {
      const found = parts(title.toLowerCase(), value);
      if (found.length) boxes.push(el("div", { class: `box ${style}` }, ...found.map(datum)));
    }
    if (run.failure && run.status !== "SUCCEEDED") {
      const lane = run.lanes.find((each) => each.id === run.failure.operation);
      const where = lane ? el("button", { type: "button", class: "link", onclick: () => choose(lane, true) }, `${lane.kind} ${lane.name || ""}`) : "the handler";
      const place = run.failure.place ? el("code", {}, ` ${run.failure.place}`) : null;
      boxes.push(el("div", { class: "box bad" }, el("div", {}, "First error, in ", where, place),
        el("details", {}, el("summary", {}, "Traceback"), ...parts("traceback", run.failure.trace).map(payload))));
    }
    const waiting = run.lanes.filter((lane) => lane.pending);
    if (waiting.length) {
      const items = waiting.slice(0, 12).map((lane) => el("li", {}, el("button", { type: "button", class: "link", onclick: () => choose(lane, true) }, `${lane.kind} ${lane.name || ""}`), ` ${lane.pending}`));
      if (waiting.length > 12) items.push(el("li", {}, `and ${waiting.length - 12} more`));
      boxes.push(el("div", { class: "box busy" }, el("div", {}, ["RUNNING", "PAUSING", "PAUSED"].includes(run.status) ? "Waiting for" : "Left open"), el("ul", { class: "spans" }, ...items)));
    }
    const given = parts("input", run.input);
    if (given.length) boxes.push(el("div", { class: "box" }, ...given.map(datum)));
    return boxes;
  }

  // -------------------------------------------------------------------------------------------------- timeline

  /** Where a moment stands, from 0 to 1. */
  function place(order) {
    const part = linear && run.end > 0 ? Math.min(1, at(order) / run.end) : run.places[order];
    return MARGIN + part * (1 - 2 * MARGIN);
  }

  const percent = (part) => `${(part * 100).toFixed(3)}%`;

  function spanned(tag, attributes, from, to) {
    const made = el(tag, attributes), begin = place(from);
    made.style.left = percent(begin);
    made.style.width = percent(Math.max(0, place(to) - begin));
    return made;
  }

  function said(bar) {
    const number = bar.attempt ? ` ${bar.attempt}` : "";
    const time = at(bar.from) === at(bar.to) ? `at ${duration(at(bar.from))}` : `${duration(at(bar.from))} → ${duration(at(bar.to))}, ${duration(at(bar.to) - at(bar.from))}`;
    const end = bar.shape === "RETRY" && bar.outcome === "AGAIN" ? "" : `, ${bar.outcome.replace("_", " ").toLowerCase()}`;
    return `${SPANS[bar.shape]}${number}${end}, ${time}${bar.error ? `: ${bar.error}` : ""}`;
  }

  function track(lane) {
    const made = el("div", { class: "track", "aria-hidden": "true" });
    for (const bar of lane.bars) {
      made.append(spanned("div", { class: `bar ${bar.shape} ${bar.outcome}`, title: said(bar) }, bar.from, bar.to));
      const end = ENDS[bar.outcome];
      if (!end) continue;
      const sign = el("span", { class: `end ${end[1]}`, "data-sign": end[0], title: said(bar) });
      sign.style.left = percent(place(bar.to));
      made.append(sign);
    }
    for (const mark of lane.marks) {
      const sign = el("span", { class: "beat", title: `last ${mark.what} at ${duration(at(mark.at))}` }, "♥");
      sign.style.left = percent(place(mark.at));
      made.append(sign);
    }
    return made;
  }

  function row(lane, number) {
    const style = STYLES[group(lane.status)];
    const label = el("div", { class: "label" },
      el("span", { class: "twisty", "aria-hidden": "true", onclick: (event) => { event.stopPropagation(); fold(lane, !folded.has(lane.id)); } }),
      el("span", { class: `mark ${style}`, "aria-hidden": "true" }, MARKS[group(lane.status)]),
      el("span", { class: "name" }, lane.name || lane.kind),
      lane.name ? el("span", { class: "kind" }, lane.kind) : null,
      el("span", { class: "sr" }, `, ${lane.status.replace("_", " ").toLowerCase()}${lane.attempts > 1 ? `, ${lane.attempts} attempts` : ""}${lane.pending ? `, ${lane.pending}` : ""}`));
    label.title = `${lane.kind} ${lane.name || lane.id}`;
    label.style.setProperty("--depth", lane.depth);
    const made = el("div", {
      class: "row", role: "treeitem", tabindex: "-1", "aria-level": lane.depth + 1, "aria-setsize": lane.parent ? lane.parent.inside : run.inside,
      "aria-posinset": lane.position, "aria-selected": "false", "aria-expanded": lane.children ? "true" : null,
      onclick: () => choose(lane, true),
    }, label, track(lane));
    made.dataset.number = number;
    return made;
  }

  /** Parents and places among siblings, from the depth of lanes in a row. */
  function link() {
    const path = [];
    run.inside = 0;
    run.byId = new Map(run.lanes.map((lane) => [lane.id, lane]));
    for (const lane of run.lanes) {
      path.length = lane.depth;
      lane.parent = path[lane.depth - 1] || null;
      lane.inside = 0;
      lane.position = ++(lane.parent || run).inside;
      path.push(lane);
    }
  }

  function drawRows() {
    rows = new Map(run.lanes.map((lane, number) => [lane, row(lane, number)]));
    $("tree").replaceChildren(...rows.values());
    $("bands").replaceChildren(...run.invocations.map((each) => spanned("div", { class: each.ending }, each.from, each.to)));
  }

  function candidates(width) {
    if (!linear || run.end === 0) {
      const arrived = [];
      for (let order = 1; order < run.moments.length; order++) {
        const span = at(order) - at(order - 1);
        if (span > 0) arrived.push([span, order]);
      }
      arrived.sort((a, b) => b[0] - a[0]);
      return [0, run.moments.length - 1, ...arrived.map(([, order]) => order)].map((order) => [place(order), at(order)]);
    }
    const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5, 72e5, 108e5, 216e5, 432e5, 864e5, 1728e5, 6048e5, 2592e6, 7776e6, 31536e6];
    const step = steps.find((each) => run.end / each <= width / 110) || run.end;
    const found = [];
    for (let time = 0; time <= run.end; time += step) found.push([MARGIN + (time / run.end) * (1 - 2 * MARGIN), time]);
    return found;
  }

  function drawAxis() {
    const axis = $("axis"), width = axis.clientWidth || 600, taken = [], words = new Set();
    axis.replaceChildren();
    $("bands").classList.toggle("dense", run.invocations.length * 14 > width);
    for (const [part, time] of candidates(width)) {
      const text = duration(time), size = text.length * 7 + 14, right = part * width + size > width;
      const begin = right ? part * width - size : part * width;
      if (words.has(text) || begin < 0 || taken.some(([a, b]) => begin < b && begin + size > a)) continue;
      taken.push([begin, begin + size]);
      words.add(text);
      const tick = el("span", { class: right ? "tick right" : "tick" }, text);
      tick.style.left = percent(part);
      axis.append(tick);
      if (taken.length > 60) break;
    }
    for (const each of run.invocations) {
      const room = (place(each.to) - place(each.from)) * width - 7 * String(each.number).length;
      const fitting = room < 1 ? " narrow" : room < 9 ? " tight" : "";
      const title = `invocation ${each.number}, ${ENDINGS[each.ending]}, replayed ${each.replayed}${each.error ? `: ${each.error}` : ""}`;
      const call = spanned("span", { class: `call ${each.ending}${fitting}`, title }, each.from, each.to);
      call.textContent = each.number;
      axis.append(call);
    }
  }

  function size() {
    const label = parseFloat(getComputedStyle(root).getPropertyValue("--label"));
    const fit = Math.max(160, $("scroller").clientWidth - label - 14);
    root.style.setProperty("--track", `${Math.round(fit * zoom)}px`);
    drawAxis();
  }

  function zoomTo(wanted, focus) {
    const scroller = $("scroller"), before = $("axis").clientWidth;
    const label = parseFloat(getComputedStyle(root).getPropertyValue("--label"));
    const visible = scroller.clientWidth - label;
    const anchor = focus === undefined ? visible / 2 : focus;
    const part = (scroller.scrollLeft + anchor) / before;
    zoom = Math.min(MOST_ZOOM, Math.max(1, wanted));
    size();
    scroller.scrollLeft = part * $("axis").clientWidth - anchor;
    $("fit").textContent = zoom === 1 ? "Fit" : `${Math.round(zoom * 100)} %`;
  }

  // -------------------------------------------------------------------------------------------------- filtering

  function matches(lane, words) {
    if (pressed.size && !pressed.has(group(lane.status))) return false;
    return !words || `${lane.name || ""} ${lane.kind} ${lane.status}`.toLowerCase().includes(words) || lane.id.startsWith(words);
  }

  function apply() {
    const words = $("filter").value.trim().toLowerCase(), filtering = words !== "" || pressed.size > 0;
    const found = new Set(run.lanes.filter((lane) => matches(lane, words)));
    const around = new Set();
    for (const lane of found) for (let up = lane.parent; up; up = up.parent) around.add(up);
    for (const [lane, made] of rows) {
      let hidden = filtering && !found.has(lane) && !around.has(lane);
      if (!filtering) for (let up = lane.parent; up; up = up.parent) hidden = hidden || folded.has(up.id);
      made.hidden = hidden;
      made.classList.toggle("context-only", filtering && !found.has(lane));
      if (lane.children) made.setAttribute("aria-expanded", String(filtering || !folded.has(lane.id)));
    }
    $("none").hidden = found.size > 0 || !run.lanes.length;
    $("count").textContent = filtering ? `${found.size} of ${count(run.lanes.length, "operation")}` : "";
    const ids = new Set([...found].map((lane) => lane.id));
    shownEvents = run.events.filter((event) => !filtering || (event.operation ? ids.has(event.operation) : words !== "" && !pressed.size && event.type.toLowerCase().includes(words)));
    drawEvents(SOME_EVENTS);
    focusable();
  }

  function chips() {
    const found = new Map();
    for (const lane of run.lanes) found.set(group(lane.status), (found.get(group(lane.status)) || 0) + 1);
    $("chips").replaceChildren(...Object.keys(STYLES).filter((name) => found.has(name)).map((name) => {
      const chip = el("button", { type: "button", "aria-pressed": "false" }, el("span", { class: `dot ${STYLES[name]}` }), `${name} ${found.get(name)}`);
      chip.addEventListener("click", () => {
        if (!pressed.delete(name)) pressed.add(name);
        chip.setAttribute("aria-pressed", String(pressed.has(name)));
        apply();
      });
      return chip;
    }));
  }

  // ----------------------------------------------------------------------------------------------------- choice

  const visible = () => run.lanes.filter((lane) => !rows.get(lane).hidden);

  /** One row of the tree can be reached with Tab; the arrows lead on from it. */
  function focusable() {
    const shown = visible(), entry = shown.includes(chosen) ? chosen : shown[0];
    for (const [lane, made] of rows) made.tabIndex = lane === entry ? 0 : -1;
  }

  function choose(lane, move) {
    if (rows.get(lane).hidden) { $("filter").value = ""; pressed.clear(); chips(); for (let up = lane.parent; up; up = up.parent) folded.delete(up.id); chosen = lane; apply(); }
    if (chosen && rows.has(chosen)) rows.get(chosen).setAttribute("aria-selected", "false");
    chosen = lane;
    rows.get(lane).setAttribute("aria-selected", "true");
    focusable();
    if (move) {
      rows.get(lane).focus({ preventScroll: true });
      reveal(rows.get(lane));
    }
    drawDetails();
    for (const line of $("events").tBodies[0].rows) line.classList.toggle("chosen", line.dataset.operation === lane.id);
  }

  function reveal(made) {
    const scroller = $("scroller"), top = made.offsetTop, height = made.offsetHeight;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top + height + 50 > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = top + height + 60 - scroller.clientHeight;
    made.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  function fold(lane, close) {
    if (!lane.children) return;
    if (close) folded.add(lane.id); else folded.delete(lane.id);
    apply();
  }

  function drawDetails() {
    const lane = chosen, facts = [["Status", lane.status.replace("_", " ")], ["Started", `${duration(lane.start)} (${instant(lane.start)})`]];
    if (lane.end !== null) facts.push(["Ended", `${duration(lane.end)} (${instant(lane.end)})`], ["Took", duration(lane.end - lane.start)]);
    if (lane.attempts) facts.push(["Attempts", lane.attempts]);
    for (const fact of lane.facts) facts.push(["", fact]);
    if (lane.pending) facts.push(["Pending", lane.pending]);
    if (lane.error) facts.push(["Error", lane.error]);
    facts.push(["Id", lane.id]);
    const list = el("dl", {}, ...facts.flatMap(([label, text]) => [el("dt", {}, label), el("dd", { class: label === "Id" ? "mono" : label === "Error" ? "bad" : null }, String(text))]));
    const inside = [el("h3", {}, el("span", { class: STYLES[group(lane.status)] }, `${MARKS[group(lane.status)]} `), lane.name || lane.kind, " ", el("span", { class: "count" }, lane.name ? lane.kind : "")), list];
    if (lane.bars.length > 1) inside.push(el("ol", { class: "spans" }, ...lane.bars.slice(0, 200).map((bar) => el("li", {}, said(bar)))));
    for (const number of lane.events.slice(0, 200)) {
      const event = run.events[number], found = event.details.flatMap(([key, value]) => parts(key, value));
      inside.push(el("div", { class: "box" }, el("div", {}, el("b", {}, event.type), el("span", { class: "count" }, ` event ${event.id}, at ${duration(at(event.order))}`)), ...found.map((part) => (part[1].length > 60 ? payload(part) : datum(part)))));
    }
    $("details").replaceChildren(...inside);
  }

  // ----------------------------------------------------------------------------------------------------- tables

  function eventRow(event) {
    const lane = run.byId.get(event.operation);
    const name = lane ? el("button", { type: "button", class: "link", onclick: () => choose(lane, true) }, lane.name || lane.kind) : "";
    const found = event.details.flatMap(([key, value]) => parts(key, value));
    const line = el("tr", {}, el("td", {}, event.id), el("td", {}, duration(at(event.order))), el("td", {}, event.type), el("td", {}, name), el("td", {}, ...found.map(datum)));
    if (event.operation) line.dataset.operation = event.operation;
    line.classList.toggle("chosen", Boolean(chosen && event.operation === chosen.id));
    return line;
  }

  function drawEvents(limit) {
    $("events").tBodies[0].replaceChildren(...shownEvents.slice(0, limit).map(eventRow));
    const all = shownEvents.length === run.events.length;
    $("events-count").textContent = all ? run.events.length : `${shownEvents.length} of ${run.events.length}`;
    $("more").hidden = shownEvents.length <= limit;
    $("more").textContent = `Show ${Math.min(SOME_EVENTS * 4, shownEvents.length - limit)} more of ${shownEvents.length - limit}`;
    $("more").onclick = () => drawEvents(limit + SOME_EVENTS * 4);
  }

  function drawInvocations() {
    $("invocations-count").textContent = run.invocations.length;
    $("invocations").tBodies[0].replaceChildren(...run.invocations.map((each) => el("tr", {},
      el("td", {}, each.number), el("td", {}, duration(at(each.from))), el("td", {}, duration(at(each.to) - at(each.from))),
      el("td", {}, el("span", { class: { CRASHED: "bad", FAILED: "bad", SUCCEEDED: "good" }[each.ending] }, ENDINGS[each.ending]), each.error ? el("div", { class: "bad" }, each.error) : null),
      el("td", {}, count(each.replayed, "operation")), el("td", { class: "mono" }, each.request))));
  }

  function legend() {
    const shapes = new Set(run.lanes.flatMap((lane) => lane.bars.map((bar) => bar.shape)));
    const names = { ATTEMPT: "attempt", RETRY: "until the next attempt", WAIT: "wait", CALLBACK: "callback open", INVOKE: "invoke", CONTEXT: "context" };
    const signs = Object.keys(names).filter((shape) => shapes.has(shape)).flatMap((shape) => [el("i", {}, el("span", { class: `bar ${shape} SUCCEEDED` })), names[shape]]);
    $("legend").replaceChildren(...signs, el("i", { class: "band" }), "invocation");
  }

  // --------------------------------------------------------------------------------------------------- keyboard

  function treeKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const shown = visible(), here = shown.findIndex((lane) => rows.get(lane) === document.activeElement);
    const lane = shown[here];
    if (!lane) {  // the skip link leads to the tree itself
      if (shown.length && event.key.startsWith("Arrow")) { event.preventDefault(); choose(shown.includes(chosen) ? chosen : shown[0], true); }
      return;
    }
    const moves = {
      ArrowDown: () => shown[here + 1], ArrowUp: () => shown[here - 1], Home: () => shown[0], End: () => shown.at(-1),
      PageDown: () => shown[Math.min(shown.length - 1, here + 10)], PageUp: () => shown[Math.max(0, here - 10)],
      Enter: () => lane, " ": () => lane,
      ArrowRight: () => {
        if (lane.children && folded.has(lane.id)) { fold(lane, false); return lane; }
        return lane.children ? shown[here + 1] : lane;
      },
      ArrowLeft: () => {
        if (lane.children && !folded.has(lane.id)) { fold(lane, true); return lane; }
        return lane.parent || lane;
      },
    };
    if (!(event.key in moves)) return;
    event.preventDefault();
    const next = moves[event.key]();
    if (next) choose(next, true);
  }

  function pageKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && event.target === $("filter")) {
      $("filter").value = "";
      apply();
      const entry = visible()[0];
      if (entry) rows.get(visible().includes(chosen) ? chosen : entry).focus();
      return;
    }
    if (typing(event.target)) return;
    if (event.key === "/") { event.preventDefault(); $("filter").focus(); $("filter").select(); }
    else if (event.key === "+" || event.key === "=") zoomTo(zoom * ZOOM);
    else if (event.key === "-") zoomTo(zoom / ZOOM);
    else if (event.key === "0") zoomTo(1);
  }

  // -------------------------------------------------------------------------------------------------------- theme

  function theme(wanted) {
    if (wanted === "auto") delete root.dataset.theme; else root.dataset.theme = wanted;
    $("theme").textContent = `Theme: ${wanted}`;
  }

  function nextTheme() {
    const order = ["auto", "dark", "light"];
    theme(order[(order.indexOf(root.dataset.theme || "auto") + 1) % 3]);
  }

  // --------------------------------------------------------------------------------------------------------- begin

  function open(number, keep) {
    run = page.executions[number];
    chosen = null; zoom = 1; linear = false; pressed = new Set(); folded = new Set();
    $("filter").value = "";
    $("linear").setAttribute("aria-pressed", "false");
    $("fit").textContent = "Fit";
    link();
    header();
    chips();
    drawRows();
    size();
    apply();
    drawInvocations();
    legend();
    const first = run.lanes.find((lane) => group(lane.status) === "Failed" && !lane.children) || run.lanes.find((lane) => lane.pending) || run.lanes[0];
    $("details").hidden = !first;
    if (first) choose(first, false);
    if (keep) $("executions").children[number].focus();
  }

  $("main").hidden = false;
  $("tree").addEventListener("keydown", treeKey);
  document.addEventListener("keydown", pageKey);
  $("filter").addEventListener("input", apply);
  $("theme").addEventListener("click", nextTheme);
  $("in").addEventListener("click", () => zoomTo(zoom * ZOOM));
  $("out").addEventListener("click", () => zoomTo(zoom / ZOOM));
  $("fit").addEventListener("click", () => zoomTo(1));
  $("linear").addEventListener("click", () => {
    linear = !linear;
    $("linear").setAttribute("aria-pressed", String(linear));
    const kept = chosen;
    drawRows();
    apply();
    drawAxis();
    if (kept) choose(kept, false);
  });
  $("scroller").addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    const label = parseFloat(getComputedStyle(root).getPropertyValue("--label"));
    zoomTo(zoom * (event.deltaY < 0 ? 1.2 : 1 / 1.2), Math.max(0, event.clientX - $("scroller").getBoundingClientRect().left - label));
  }, { passive: false });
  window.addEventListener("resize", size);
  open(0, false);
})();
