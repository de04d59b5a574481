// Events and invocations.

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
