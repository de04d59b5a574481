// The operation that is chosen, and what is folded away.

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
