"use strict";
(() => {
  const { ticksOf, color, alpha, time, number, digitsFor, axes, make, forget, data } = libra;
  const byId = (id) => document.getElementById(id);
  const times = [data.equity[0], ...data.charts.map((chart) => chart.ohlc[0])].filter((list) => list.length);
  if (!times.length) return;
  const first = Math.min(...times.map((list) => list[0])), last = Math.max(...times.map((list) => list[list.length - 1]));
  const margin = Math.max(1, (last - first) * 0.006);
  const range = [first - margin, last + margin];
  const percent = (value) => `${number(value * 100, 2)} %`;

  const shade = (name) => (u) => {
    const fill = u.ctx.createLinearGradient(0, u.bbox.top, 0, u.bbox.top + u.bbox.height);
    fill.addColorStop(0, alpha(name, 0.26)); fill.addColorStop(1, alpha(name, 0.02));
    return fill;
  };
  if (data.equity[0].length) {
    const values = data.equity[1].filter((value) => value !== null);
    const digits = Math.min(2, digitsFor(Math.max(...values) - Math.min(...values)));
    const width = 78, name = data.equity[1][values.length - 1] >= data.start ? "gain" : "loss";
    make(byId("equity-chart"), () => Math.max(220, Math.min(330, innerWidth * 0.32)), {
      series: [{}, { stroke: () => color(`--${name}`), width: 1.6, fill: shade(`--${name}-rgb`), fillTo: (u, s, min) => min, points: { show: false } }],
      axes: axes((u, ticks) => ticksOf(ticks, digitsFor(ticks[1] - ticks[0]) > 3 ? 2 : 0), width),
      hooks: {
        drawAxes: [(u) => {
          if (data.start === null) return;
          const y = Math.round(u.valToPos(data.start, "y", true));
          if (y < u.bbox.top || y > u.bbox.top + u.bbox.height) return;
          u.ctx.save(); u.ctx.strokeStyle = color("--ink-3"); u.ctx.lineWidth = 1; u.ctx.setLineDash([5, 5]);
          u.ctx.beginPath(); u.ctx.moveTo(u.bbox.left, y); u.ctx.lineTo(u.bbox.left + u.bbox.width, y); u.ctx.stroke(); u.ctx.restore();
        }],
        setCursor: [(u) => {
          const at = u.cursor.idx;
          byId("equity-read").textContent = at === null || data.equity[1][at] === null ? "" : `${time(data.equity[0][at])} · ${number(data.equity[1][at], digits)}`;
        }],
      },
    }, data.equity, range);
    make(byId("drawdown-chart"), () => 130, {
      scales: { y: { range: (u, min) => [Math.min(min, -1e-9) * 1.06, 0] } },
      series: [{}, { stroke: () => color("--loss"), width: 1.2, fill: () => alpha("--loss-rgb", 0.2), fillTo: 0, points: { show: false } }],
      axes: axes((u, ticks) => ticks.map((tick) => `${number(tick * 100, Math.min(3, Math.max(0, digitsFor((ticks[1] - ticks[0]) * 100) - 3)))} %`), width),
      hooks: { setCursor: [(u) => {
        const at = u.cursor.idx;
        byId("drawdown-read").textContent = at === null || data.drawdown[1][at] === null ? "" : `${time(data.drawdown[0][at])} · ${percent(data.drawdown[1][at])}`;
      }] },
    }, data.drawdown, range);
  }

  const paint = (chart) => (u) => {
    const [x, open, high, low, close] = chart.ohlc, ctx = u.ctx, ratio = devicePixelRatio;
    const from = u.valToIdx(u.scales.x.min), to = u.valToIdx(u.scales.x.max);
    const at = (value) => u.valToPos(value, "x", true), level = (value) => u.valToPos(value, "y", true);
    const room = u.bbox.width / Math.max(1, to - from + 1), body = Math.max(1, Math.min(12 * ratio, room * 0.58));
    const up = color("--gain"), down = color("--loss"), faint = color("--ink-3");
    ctx.save();
    ctx.beginPath(); ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height); ctx.clip();
    ctx.globalAlpha = room <= 2.5 ? 0.85 : 1;
    for (let i = Math.max(0, from - 1); i <= Math.min(x.length - 1, to + 1); i++) {
      const middle = at(x[i]), top = level(Math.max(open[i], close[i])), bottom = level(Math.min(open[i], close[i]));
      // Without room for bodies a colour would say nothing, and the trades are what to see.
      ctx.fillStyle = room <= 2.5 ? faint : close[i] >= open[i] ? up : down;
      const wick = Math.min(ratio, body), highest = level(high[i]);
      ctx.fillRect(middle - wick / 2, highest, wick, Math.max(1, level(low[i]) - highest));
      if (room > 2.5) ctx.fillRect(middle - body / 2, top, body, Math.max(1, bottom - top));
    }
    ctx.globalAlpha = 1;
    const close_to = to - from < 400;
    ctx.lineWidth = 1.6 * ratio;
    for (const [a, pa, b, pb, won] of chart.lines) {
      if (b < from - 1 || a > to + 1) continue;
      ctx.globalAlpha = close_to ? 0.95 : 0.6;
      ctx.strokeStyle = won ? up : down;
      ctx.beginPath(); ctx.moveTo(at(x[a]), level(pa)); ctx.lineTo(at(x[b]), level(pb)); ctx.stroke();
    }
    ctx.globalAlpha = 1;
    const [where, kind, price] = chart.marks;
    const crowd = where.filter((candle) => candle >= from && candle <= to).length;
    const size = ratio * (crowd > 600 ? 2.6 : crowd > 200 ? 3.6 : crowd > 60 ? 4.6 : 5.6);
    const long = color("--long"), short = color("--short"), ring = color("--panel");
    // Exits first: where a position is turned round, the entry stands beside its ring with its tip at the price.
    for (const entries of [false, true]) for (let i = 0; i < where.length; i++) {
      if (where[i] < from - 1 || where[i] > to + 1 || (kind[i] < 2) !== entries) continue;
      const cx = at(x[where[i]]), cy = level(price[i]), hue = kind[i] % 2 ? short : long;
      ctx.beginPath();
      if (kind[i] < 2) {
        const way = kind[i] === 0 ? 1 : -1;
        ctx.moveTo(cx, cy + way * size * 0.5); ctx.lineTo(cx + size, cy + way * size * 2.4); ctx.lineTo(cx - size, cy + way * size * 2.4); ctx.closePath();
        ctx.fillStyle = hue; ctx.fill(); ctx.lineWidth = ratio; ctx.strokeStyle = ring; ctx.stroke();
      } else {
        ctx.arc(cx, cy, size * 0.8, 0, 7); ctx.fillStyle = ring; ctx.fill(); ctx.lineWidth = 1.8 * ratio; ctx.strokeStyle = hue; ctx.stroke();
      }
    }
    ctx.restore();
  };
  const read = (chart, digits) => (u) => {
    const i = u.cursor.idx;
    if (i === null) { byId("price-read").textContent = ""; return; }
    const [x, open, high, low, close] = chart.ohlc;
    const parts = [`${time(x[i])} · O ${number(open[i], digits)} H ${number(high[i], digits)} L ${number(low[i], digits)} C ${number(close[i], digits)}`];
    chart.marks[0].forEach((candle, k) => {
      if (candle === i) parts.push(`${chart.marks[3][k] > 1 ? chart.marks[3][k] + " × " : ""}${data.kinds[chart.marks[1][k]]} ${number(chart.marks[2][k], digits)}`);
    });
    byId("price-read").textContent = parts.join(" · ");
  };
  const unseen = { paths: () => null, points: { show: false } };
  let shown = null;
  const show = (index) => {
    const chart = data.charts[index], [x, , high, low] = chart.ohlc;
    const digits = digitsFor(Math.max(...high) - Math.min(...low));
    const kept = shown ? [shown.scales.x.min, shown.scales.x.max] : null;
    if (shown) { forget(shown); shown.destroy(); }
    shown = make(byId("price-chart"), () => Math.max(300, Math.min(460, innerWidth * 0.42)), {
      // High and low are series that draw nothing, so that the price axis fits what is in view.
      scales: { y: { range: (u, min, max) => { const room = (max - min) * 0.05 || Math.abs(max) * 0.01 || 1; return [min - room, max + room]; } } },
      series: [{}, unseen, unseen],
      axes: axes((u, ticks) => ticksOf(ticks, Math.max(0, digitsFor(ticks[1] - ticks[0]) - 3)), 78),
      hooks: { draw: [paint(chart)], setCursor: [read(chart, Math.max(2, Math.min(digits, 6)))] },
    }, [x, low, high], range);
    if (kept) shown.setScale("x", { min: kept[0], max: kept[1] });
    document.querySelectorAll("[data-chart]").forEach((tab) => tab.setAttribute("aria-pressed", String(Number(tab.dataset.chart) === index)));
    document.querySelectorAll("[data-note]").forEach((note) => { note.hidden = Number(note.dataset.note) !== index; });
  };
  if (data.charts.length) {
    show(0);
    document.querySelectorAll("[data-chart]").forEach((tab) => tab.addEventListener("click", () => show(Number(tab.dataset.chart))));
  }
  document.documentElement.dataset.drawn = "yes";
})();
