"use strict";
// Parallel coordinates: lines over axes, drawn on one canvas; drag along an axis to keep a part of its values.
(() => {
  const canvas = document.getElementById("parallel"), read = document.getElementById("parallel-read");
  if (!canvas) return;
  const root = document.documentElement, { axes, lines } = JSON.parse(document.getElementById("data").textContent).parallel;
  const color = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const context = canvas.getContext("2d"), TOP = 34, BOTTOM = 16, SIDE = 64, kept = axes.map(() => null);
  let hovered = null, dragged = null;
  const x = (axis) => SIDE + (canvas.clientWidth - 2 * SIDE) * (axes.length > 1 ? axis / (axes.length - 1) : 0.5);
  const y = (place) => TOP + (canvas.clientHeight - TOP - BOTTOM) * (1 - place);
  const placeAt = (pixel) => Math.max(0, Math.min(1, 1 - (pixel - TOP) / (canvas.clientHeight - TOP - BOTTOM)));
  const isKept = (line) => kept.every((part, axis) => !part || (line.at[axis] !== null && line.at[axis] >= part[0] - 1e-9 && line.at[axis] <= part[1] + 1e-9));
  const trace = (line) => {
    context.beginPath();
    let pen = false;
    line.at.forEach((place, axis) => {
      if (place === null) { pen = false; return; }
      if (pen) context.lineTo(x(axis), y(place)); else context.moveTo(x(axis), y(place));
      pen = true;
    });
    context.stroke();
  };
  const draw = () => {
    const ratio = devicePixelRatio, width = canvas.clientWidth, height = canvas.clientHeight;
    canvas.width = width * ratio; canvas.height = height * ratio;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.lineWidth = 1;
    const shown = lines.filter(isKept), faint = lines.length > 80 ? 0.22 : 0.45;
    for (const line of lines) if (!isKept(line)) { context.strokeStyle = `rgb(${color("--gain-rgb")} / 3%)`; trace(line); }
    for (const line of shown) {
      context.strokeStyle = line.tone < 0.5 ? `rgb(${color("--loss-rgb")} / ${faint * (1 - line.tone)})` : `rgb(${color("--gain-rgb")} / ${faint + 0.4 * (line.tone - 0.5)})`;
      trace(line);
    }
    const best = lines[lines.length - 1];
    if (best && isKept(best)) { context.lineWidth = 2.4; context.strokeStyle = color("--gain"); trace(best); }
    if (hovered) { context.lineWidth = 2.4; context.strokeStyle = color("--ink"); trace(hovered); }
    context.font = "12px system-ui, sans-serif";
    axes.forEach((axis, number) => {
      const at = x(number);
      context.strokeStyle = color("--line-strong"); context.lineWidth = 1;
      context.beginPath(); context.moveTo(at, TOP); context.lineTo(at, height - BOTTOM); context.stroke();
      if (kept[number]) {
        context.fillStyle = `rgb(${color("--gain-rgb")} / 35%)`;
        context.fillRect(at - 6, y(kept[number][1]), 12, Math.max(2, y(kept[number][0]) - y(kept[number][1])));
      }
      context.fillStyle = color("--ink-2"); context.textAlign = "center";
      context.fillText(axis.label, at, 16);
      context.fillStyle = color("--ink-3"); context.textAlign = number === axes.length - 1 ? "left" : "right";
      for (const [place, text] of axis.ticks) context.fillText(text, at + (number === axes.length - 1 ? 6 : -6), y(place) + 4);
    });
  };
  const nearest = (event) => {
    const box = canvas.getBoundingClientRect(), px = event.clientX - box.left, py = event.clientY - box.top;
    let found = null, least = 12;
    for (const line of lines) {
      if (!isKept(line)) continue;
      for (let axis = 0; axis < axes.length - 1; axis++) {
        const from = line.at[axis], to = line.at[axis + 1];
        if (from === null || to === null || px < x(axis) || px > x(axis + 1)) continue;
        const share = (px - x(axis)) / (x(axis + 1) - x(axis)), away = Math.abs(y(from) + (y(to) - y(from)) * share - py);
        if (away < least) { least = away; found = line; }
      }
    }
    return found;
  };
  const axisAt = (event) => {
    const px = event.clientX - canvas.getBoundingClientRect().left;
    return axes.findIndex((_, axis) => Math.abs(x(axis) - px) < 12);
  };
  canvas.addEventListener("pointerdown", (event) => {
    const axis = axisAt(event);
    if (axis < 0) return;
    const from = placeAt(event.clientY - canvas.getBoundingClientRect().top);
    dragged = { axis, from }; kept[axis] = null; canvas.setPointerCapture(event.pointerId); draw();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (dragged) {
      const to = placeAt(event.clientY - canvas.getBoundingClientRect().top);
      kept[dragged.axis] = Math.abs(to - dragged.from) > 0.01 ? [Math.min(dragged.from, to), Math.max(dragged.from, to)] : null;
    } else {
      const line = nearest(event);
      if (line === hovered) return;
      hovered = line;
      read.textContent = line ? line.text : "";
    }
    draw();
  });
  canvas.addEventListener("pointerup", () => { dragged = null; });
  canvas.addEventListener("pointerleave", () => { hovered = null; read.textContent = ""; draw(); });
  canvas.addEventListener("dblclick", () => { kept.fill(null); draw(); });
  document.getElementById("theme").addEventListener("click", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new ResizeObserver(draw).observe(canvas);
  draw();
})();
