// Every key.

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
