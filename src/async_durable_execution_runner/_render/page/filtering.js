// Which rows are shown: words, statuses.

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
