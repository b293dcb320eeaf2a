"use strict";
(() => {
  const { ticksOf, color, alpha, time, number, digitsFor, axes, make, data } = libra;
  const byId = (id) => document.getElementById(id);
  const read = (name, series, text) => [(u) => {
    const at = u.cursor.idx;
    byId(name).textContent = at === null || series[1][at] === undefined ? "" : `${time(series[0][at])} · ${text(series[1][at])}`;
  }];
  if (byId("equity-chart") && data.equity[0].length) {
    const first = data.equity[0][0], last = data.equity[0][data.equity[0].length - 1], margin = Math.max(1, (last - first) * 0.006);
    const range = [first - margin, last + margin], values = data.equity[1];
    const digits = Math.min(2, digitsFor(Math.max(...values) - Math.min(...values)));
    const stripes = (u) => {
      u.ctx.save();
      u.ctx.beginPath(); u.ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height); u.ctx.clip();
      u.ctx.fillStyle = alpha("--gain-rgb", 0.08);
      data.tests.forEach(([from, to], place) => {
        if (place % 2) return;
        const left = u.valToPos(from, "x", true), right = u.valToPos(to, "x", true);
        u.ctx.fillRect(left, u.bbox.top, right - left, u.bbox.height);
      });
      u.ctx.restore();
    };
    make(byId("equity-chart"), () => Math.max(220, Math.min(330, innerWidth * 0.32)), {
      series: [{}, { stroke: () => color(values[values.length - 1] >= data.start ? "--gain" : "--loss"), width: 1.6, points: { show: false } }],
      axes: axes((u, ticks) => ticksOf(ticks, digitsFor(ticks[1] - ticks[0]) > 3 ? 2 : 0), 78),
      hooks: { drawAxes: [stripes], setCursor: read("equity-read", data.equity, (value) => number(value, digits)) },
    }, data.equity, range);
    make(byId("drawdown-chart"), () => 120, {
      scales: { y: { range: (u, min) => [Math.min(min, -1e-9) * 1.06, 0] } },
      series: [{}, { stroke: () => color("--loss"), width: 1.2, fill: () => alpha("--loss-rgb", 0.2), fillTo: 0, points: { show: false } }],
      axes: axes((u, ticks) => ticks.map((tick) => `${number(tick * 100, Math.min(3, Math.max(0, digitsFor((ticks[1] - ticks[0]) * 100) - 3)))} %`), 78),
      hooks: { drawAxes: [stripes], setCursor: read("drawdown-read", data.drawdown, (value) => `${number(value * 100, 2)} %`) },
    }, data.drawdown, range);
  }

  // Two bars a window: training pale, test strong, above and below zero.
  const canvas = byId("bars"), context = canvas.getContext("2d"), LEFT = 78;
  const text = (value) => value === null ? "\u2013" : data.percent ? `${number(value * 100, 2)} %` : number(value, 3);
  const draw = () => {
    const ratio = devicePixelRatio, width = canvas.clientWidth, height = canvas.clientHeight;
    canvas.width = width * ratio; canvas.height = height * ratio;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const known = data.bars.flatMap(([, train, test]) => [train, test]).filter((value) => value !== null);
    const high = Math.max(0, ...known), low = Math.min(0, ...known), span = high - low || 1;
    const y = (value) => 8 + (height - 16) * (high - value) / span, room = (width - LEFT) / Math.max(1, data.bars.length);
    context.font = "12px system-ui, sans-serif"; context.textAlign = "right"; context.fillStyle = color("--ink-3");
    for (const value of new Set([low, 0, high])) context.fillText(text(value), LEFT - 8, y(value) + 4);
    data.bars.forEach(([, train, test], place) => {
      const at = LEFT + room * place, bar = (value, from, fill) => {
        if (value === null) return;
        context.fillStyle = fill;
        context.fillRect(at + room * from, Math.min(y(value), y(0)), Math.max(1, room * 0.34), Math.max(1, Math.abs(y(value) - y(0))));
      };
      bar(train, 0.12, alpha("--gain-rgb", 0.35));
      bar(test, 0.5, color(test !== null && test < 0 ? "--loss" : "--gain"));
    });
    context.strokeStyle = color("--line-strong"); context.beginPath(); context.moveTo(LEFT, y(0)); context.lineTo(width, y(0)); context.stroke();
  };
  canvas.addEventListener("pointermove", (event) => {
    const place = Math.floor((event.clientX - canvas.getBoundingClientRect().left - LEFT) / ((canvas.clientWidth - LEFT) / data.bars.length));
    const bar = data.bars[place];
    byId("bars-read").textContent = bar ? `window ${bar[0]} · training ${text(bar[1])} · test ${text(bar[2])}` : "";
  });
  canvas.addEventListener("pointerleave", () => { byId("bars-read").textContent = ""; });
  byId("theme").addEventListener("click", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new ResizeObserver(draw).observe(canvas);
  draw();
})();
