// The rows of operations over the axis of time, and zooming.

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
