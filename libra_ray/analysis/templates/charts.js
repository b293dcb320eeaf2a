"use strict";
// What all charts share: theme colours, number and time texts, one zoom for all.
const libra = (() => {
  const root = document.documentElement;
  const color = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const alpha = (name, share) => `rgb(${color(name)} / ${share})`;
  const pad = (value) => String(value).padStart(2, "0");
  const day = (ms) => { const d = new Date(ms); return `${d.getUTCFullYear()}-${pad(d.getUTCMonth() + 1)}-${pad(d.getUTCDate())}`; };
  const time = (ms) => { const d = new Date(ms); const clock = `${pad(d.getUTCHours())}:${pad(d.getUTCMinutes())}`; return clock === "00:00" && !d.getUTCSeconds() ? day(ms) : `${day(ms)} ${clock}${d.getUTCSeconds() ? ":" + pad(d.getUTCSeconds()) : ""}`; };
  const number = (value, digits) => value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "\u2212");
  // As many decimals as tell neighbouring values of this size apart.
  const digitsFor = (span) => span > 0 ? Math.max(0, Math.min(8, 3 - Math.floor(Math.log10(span)))) : 2;
  const big = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 3 });
  const ticksOf = (values, digits) => {
    const isBig = values.some((value) => Math.abs(value) >= 1e7);
    return values.map((value) => isBig ? big.format(value).replace("-", "\u2212") : number(value, digits));
  };
  const plots = [], redraws = [];
  let zooming = false;
  const zoomAll = (from) => {
    if (zooming) return;
    zooming = true;
    const { min, max } = from.scales.x;
    for (const plot of plots) if (plot !== from) plot.setScale("x", { min, max });
    zooming = false;
  };
  const forget = (plot) => { const place = plots.indexOf(plot); if (place >= 0) plots.splice(place, 1); };
  const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], DAY = 864e5;
  // The finest unit of the ticks, and the next coarser one where it changes.
  const dates = (u, ticks, axis, space, step) => ticks.map((ms) => {
    const d = new Date(ms), month = months[d.getUTCMonth()], year = d.getUTCFullYear();
    if (step >= 364 * DAY) return String(year);
    if (step >= 27 * DAY) return d.getUTCMonth() === 0 ? String(year) : `${month} ${year}`;
    if (step >= DAY) return d.getUTCMonth() === 0 && d.getUTCDate() * DAY <= step ? `${d.getUTCDate()} ${month} ${year}` : `${d.getUTCDate()} ${month}`;
    if (ms % DAY === 0) return `${d.getUTCDate()} ${month}`;
    const clock = `${pad(d.getUTCHours())}:${pad(d.getUTCMinutes())}`;
    return step >= 6e4 ? clock : step >= 1e3 ? `${clock}:${pad(d.getUTCSeconds())}` : `${pad(d.getUTCSeconds())}.${String(d.getUTCMilliseconds()).padStart(3, "0")}`;
  });
  const axes = (format, size) => [
    { values: dates, space: 78, stroke: () => color("--ink-3"), grid: { stroke: () => color("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif", size: 28, gap: 6 },
    { stroke: () => color("--ink-3"), grid: { stroke: () => color("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif", size, gap: 6, values: format },
  ];
  // One x range for all charts, from the earliest to the latest row of any.
  const make = (element, height, options, data, range) => {
    const plot = new uPlot({
      width: element.clientWidth, height: height(), ms: 1, tzDate: (ms) => uPlot.tzDate(new Date(ms), "Etc/UTC"),
      legend: { show: false }, padding: [8, 6, 0, 0],
      cursor: { sync: { key: "libra", scales: ["x", null] }, drag: { x: true, y: false, setScale: true }, points: { show: false }, y: false },
      ...options,
      scales: { x: { time: true, range: (u, min, max) => min === null ? range : [min, max] }, ...(options.scales || {}) },
      hooks: { ...(options.hooks || {}), setScale: [(u, key) => { if (key === "x") zoomAll(u); }] },
    }, data, element);
    plot.over.addEventListener("dblclick", () => { plot.setScale("x", { min: range[0], max: range[1] }); });
    plot.setScale("x", { min: range[0], max: range[1] });
    plots.push(plot);
    new ResizeObserver(() => { if (element.clientWidth && element.clientWidth !== plot.width) plot.setSize({ width: element.clientWidth, height: height() }); }).observe(element);
    return plot;
  };
  const redraw = () => { for (const plot of plots) plot.redraw(false, true); for (const call of redraws) call(); };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  const button = document.getElementById("theme");
  const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const say = () => { button.textContent = isDark() ? "Light" : "Dark"; };
  button.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; say(); redraw(); });
  say();
  return { color, alpha, ticksOf, time, day, number, digitsFor, axes, make, forget, data: JSON.parse(document.getElementById("data").textContent) };
})();
