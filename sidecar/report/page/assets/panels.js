'use strict';

// Series of a timeline, by their number.
const series = [
  { name: 'Requests', what: 'request', height: 190, slow: true },
  { name: 'Appends of which no request could be read', what: 'append', height: 150, slow: true },
  { name: 'Writes to segments', what: 'write', height: 140 },
  { name: 'Journal commits', what: 'commit', height: 120 },
];

const axisWidth = 64;

// columnsOf makes a timeline quick to ask.
function columnsOf(timeline) {
  return timeline.columns.map((c) => ({
    at: c.at, slow: c.slow || 0, max: c.max,
    count: c.cells.map((cells) => { let n = 0; for (let i = 1; i < cells.length; i += 2) n += cells[i]; return n; }),
    cells: c.cells,
  }));
}

// extent is the range of rows and the greatest count of a series.
function extent(columns, s) {
  let low = Infinity, high = -1, most = 0;
  for (const c of columns) {
    for (let i = 0; i < c.cells[s].length; i += 2) {
      low = Math.min(low, c.cells[s][i]);
      high = Math.max(high, c.cells[s][i]);
      most = Math.max(most, c.cells[s][i + 1]);
    }
  }
  return { low, high, most };
}

// rowEdge is the lower edge of a row.
const rowEdge = (edges, row) => (row === 0 ? edges[0] / 2 : row - 1 < edges.length ? edges[row - 1] : edges[edges.length - 1] * 2);

// heatmap draws one series into a chart. Its colour says how many; what is slow
// has another hue.
function heatmap(u, view, s, scale) {
  const { ctx } = u, { edges } = view.timeline, width = view.timeline.width_ns / 1e9;
  const [from, to] = [u.scales.x.min, u.scales.x.max];
  const cool = ramp('cool'), hot = ramp('hot');
  ctx.save();
  ctx.beginPath();
  ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
  ctx.clip();
  for (const c of view.columns) {
    const at = c.at / 1e9;
    if (at + width < from || at > to) continue;
    const x = u.valToPos(at, 'x', true), w = u.valToPos(at + width, 'x', true) - x;
    const cells = c.cells[s];
    for (let i = 0; i < cells.length; i += 2) {
      const low = rowEdge(edges, cells[i]), high = rowEdge(edges, cells[i] + 1);
      const y = u.valToPos(high, 'y', true), h = u.valToPos(low, 'y', true) - y;
      const share = Math.log(1 + cells[i + 1]) / Math.log(1 + scale), slow = series[s].slow && low >= view.slo * 0.95;
      const wide = Math.max(w, (slow ? 4 : 2) * devicePixelRatio); // what is rare must not be missed
      ctx.fillStyle = (slow ? hot : cool)(slow ? 0.4 + 0.6 * share : 0.12 + 0.88 * share);
      ctx.fillRect(x, y, wide, Math.max(h, slow ? 3 * devicePixelRatio : 1));
    }
  }
  ctx.restore();
}

// objective draws the line from which a request is slow.
function objective(u, slo) {
  const y = Math.round(u.valToPos(slo, 'y', true)) + 0.5, { ctx } = u;
  if (y < u.bbox.top || y > u.bbox.top + u.bbox.height) return;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = style('--slow');
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.lineWidth = devicePixelRatio;
  ctx.beginPath();
  ctx.moveTo(u.bbox.left, y);
  ctx.lineTo(u.bbox.left + u.bbox.width, y);
  ctx.stroke();
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = 'right';
  ctx.textBaseline = 'bottom';
  const label = 'SLO ' + round(slo), right = u.bbox.left + u.bbox.width - 6 * devicePixelRatio, wide = ctx.measureText(label).width;
  ctx.globalAlpha = 0.85;
  ctx.fillStyle = style('--card');
  ctx.fillRect(right - wide - 4 * devicePixelRatio, y - 16 * devicePixelRatio, wide + 8 * devicePixelRatio, 15 * devicePixelRatio);
  ctx.globalAlpha = 1;
  ctx.fillStyle = style('--slow');
  ctx.fillText(label, right, y - 2 * devicePixelRatio);
  ctx.restore();
}

// bands shades incidents.
function bands(u, incidents) {
  const { ctx } = u;
  ctx.save();
  ctx.fillStyle = style('--band');
  for (const i of incidents) {
    const x = Math.max(u.valToPos(i.start / 1e9, 'x', true), u.bbox.left);
    const to = Math.min(u.valToPos((i.start + i.length_ns) / 1e9, 'x', true), u.bbox.left + u.bbox.width);
    if (to > x) ctx.fillRect(x, u.bbox.top, Math.max(to - x, devicePixelRatio), u.bbox.height);
  }
  ctx.restore();
}

// decades are the ticks of a logarithmic axis of time.
function decades(u, axis, min, max) {
  const all = [];
  for (let e = Math.ceil(Math.log10(min) - 1e-9); e <= Math.floor(Math.log10(max) + 1e-9); e++) all.push(10 ** e);
  return all;
}

// ticks are at round instants of the clock, which the origin is not; of a view
// that begins at 0, at round times.
function ticks(view) {
  const base = view.relative ? 0 : Number(origin % BigInt(86400e9)) / 1e9; // s into the origin's day
  return (u, axis, min, max, step) => {
    const all = [];
    for (let k = Math.ceil((min + base) / step); k * step - base <= max; k++) all.push(k * step - base);
    return all;
  };
}

// instants are the labels of the axis of time: as much of the clock as the ticks
// are apart, and the day where it changes.
function instants(view) {
  const micro = 1000; // ns: what the ticks' arithmetic may lack to a whole ms
  return (u, all, axis, space, step) => all.map((t, i) => {
    if (view.relative) return round(Math.max(0, Math.round(t * 1e9)));
    const text = iso(Math.round(t * 1e9) + micro);
    if (i === 0) u.root.dataset.ticks = all.join(' ');
    const label = step >= 60 ? text.slice(11, 16) : step >= 1 ? text.slice(11, 19) : text.slice(11, 23).replace(/0{1,2}$/, '');
    return i === 0 || step >= 86400 || text.slice(11, 19) === '00:00:00' ? label + '\n' + text.slice(0, 10) : label;
  });
}

// Steps of the axis of time, in seconds; a clock's from a minute on.
const steps = [...[1e-3, 1e-2, 0.1, 1].flatMap((d) => [d, 2 * d, 5 * d]), 10, 15, 30, 60, 120, 300, 600, 900, 1800,
  3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 2592000];

// panels draws the series of a view on one axis of time under one another.
//
// view: {timeline, columns, slo, from, to (s), series: [numbers], scale: {series:
// greatest count}, rows: {series: [low, high]}, relative, incidents, key}
function panels(view, onDraw) {
  const box = el('div', { class: 'panels' });
  const charts = [];
  const make = () => {
    const zoom = charts.length ? [charts[0].scales.x.min, charts[0].scales.x.max] : [view.from, view.to];
    for (const c of charts.splice(0)) c.destroy();
    box.replaceChildren();
    for (const s of view.series) {
      const last = s === view.series[view.series.length - 1];
      const place = el('div', { class: 'panel' });
      box.append(el(view.heading || 'h3', { class: 'panel-title' }, series[s].name, el('span', null, ' latency, log scale')), place);
      charts.push(panel(view, s, last, place, zoom, charts.length === 0 ? onDraw : null));
    }
  };
  redraws.push(make);
  new ResizeObserver(() => requestAnimationFrame(() => {
    if (!charts.length) make();
    for (const c of charts) {
      const w = c.root.parentNode.clientWidth;
      if (w > 0 && c.width !== w) c.setSize({ width: w, height: c.height });
    }
  })).observe(box);
  const zoom = (from, to) => { for (const c of charts) c.setScale('x', { min: from, max: to }); };
  return { box, charts, zoom, reset: () => zoom(view.from, view.to) };
}

function panel(view, s, last, place, zoom, onDraw) {
  const [low, high] = view.rows[s], { edges } = view.timeline;
  const half = view.timeline.width_ns / 2e9;
  const xs = view.columns.map((c) => c.at / 1e9 + half);
  const line = { stroke: style('--muted'), grid: { stroke: style('--grid'), width: 1 }, ticks: { show: false }, font: '11px system-ui, sans-serif' };
  const chart = new uPlot({
    width: place.clientWidth || 800, height: (view.height || 1) * series[s].height + (last ? 34 : 0), legend: { show: false },
    padding: [4, 26, last ? 0 : 4, 0],
    cursor: { y: false, points: { show: false }, drag: { x: true, y: false }, sync: { key: view.key, setSeries: false } },
    scales: {
      x: { time: false, min: zoom[0], max: zoom[1], range: (u, a, b) => (b > a ? [a, b] : [a - 0.001, a + 0.001]) },
      y: { distr: 3, range: () => [rowEdge(edges, low), rowEdge(edges, high + 1)] },
    },
    axes: [
      { ...line, show: last, size: 34, values: instants(view), splits: ticks(view), incrs: steps, space: 90 },
      { ...line, size: axisWidth, splits: decades, values: (u, all) => all.map(round), filter: (u, all) => all },
    ],
    series: [{}, { stroke: 'transparent', paths: () => null, points: { show: false } }],
    hooks: {
      drawAxes: [(u) => { bands(u, view.incidents); }],
      draw: [(u) => { heatmap(u, view, s, view.scale[s]); if (series[s].slow) objective(u, view.slo); if (onDraw) onDraw(u); }],
      setCursor: onDraw && view.onColumn ? [(u) => { if (u.cursor.idx !== null) view.onColumn(u.cursor.idx); }] : [],
    },
  }, [xs, view.columns.map((c) => c.max[s] || null)], place);
  place.querySelector('canvas').setAttribute('role', 'img');
  place.querySelector('canvas').setAttribute('aria-label', describe(view, s));
  return chart;
}

// describe says in words what a panel shows.
function describe(view, s) {
  const n = view.columns.reduce((sum, c) => sum + c.count[s], 0);
  const worst = view.columns.reduce((a, c) => (c.max[s] > a.max[s] ? c : a), view.columns[0]);
  return `Heatmap of ${plural(n, series[s].what)}; the slowest took ${duration(worst.max[s])}, at ${view.relative ? round(worst.at) : clock(worst.at) + ' UTC'}.`;
}

// legend is the scale of the colours.
function legend(slow) {
  return el('p', { class: 'legend' }, 'Few', el('span', { class: 'scale cool', 'aria-hidden': 'true' }), 'many that ended in a column of time;',
    slow && [' beyond the SLO', el('span', { class: 'scale hot', 'aria-hidden': 'true' })]);
}
