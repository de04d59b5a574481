// Light and dark, and the page's first moments. The last part: it runs what the others define.

function theme(wanted) {
  if (wanted === "auto") delete root.dataset.theme; else root.dataset.theme = wanted;
  $("theme").textContent = `Theme: ${wanted}`;
}

function nextTheme() {
  const order = ["auto", "dark", "light"];
  theme(order[(order.indexOf(root.dataset.theme || "auto") + 1) % 3]);
}

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
