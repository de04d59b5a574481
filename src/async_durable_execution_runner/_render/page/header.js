// The head of the page: the test, the execution, how it ended.

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
