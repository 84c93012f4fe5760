'use strict';

const quantileNames = { p50: 'p50', p99: 'p99', p999: 'p99.9', max: 'slowest' };

// intervals draws the percentiles of each recording with where they may lie, on
// one logarithmic axis.
function intervals() {
  const all = data.recordings.flatMap((r) => r.quantiles), known = all.flatMap((q) => [q.ns, q.low_ns, q.high_ns]).filter((n) => n > 0);
  if (!known.length) return null;
  const low = Math.log10(Math.min(...known)) - 0.08, high = Math.log10(Math.max(...known, data.slo_ns)) + 0.08;
  const left = 170, width = 1100, row = 34, top = 24, bottom = top + row * data.recordings.length;
  const x = (ns) => left + (width - left - 20) * (Math.log10(Math.max(ns, 1)) - low) / (high - low);
  const svg = el('svg', { viewBox: `0 0 ${width} ${bottom + 6}`, class: 'intervals', role: 'img', 'aria-label': 'Percentiles of each recording with their intervals; the figures are in the table above.' });
  const axis = el('g', { class: 'axis' });
  for (let e = Math.ceil(low); e <= Math.floor(high); e++) {
    axis.append(el('line', { x1: x(10 ** e), x2: x(10 ** e), y1: top - 6, y2: bottom }), el('text', { x: x(10 ** e), y: 12, 'text-anchor': 'middle' }, round(10 ** e)));
  }
  svg.append(axis, el('line', { x1: x(data.slo_ns), x2: x(data.slo_ns), y1: top - 6, y2: bottom, class: 'slo series-max', 'stroke-dasharray': '4 3' }));
  data.recordings.forEach((r, i) => {
    const y = top + row * i + row / 2;
    svg.append(el('text', { x: left - 14, y: y + 4, 'text-anchor': 'end' }, r.name.length > 26 ? r.name.slice(0, 25) + '…' : r.name), el('line', { x1: left, x2: width - 20, y1: y, y2: y }));
    r.quantiles.forEach((q) => {
      if (!q.ns) return;
      const from = q.low_ns || q.ns, to = q.high_ns || q.ns;
      add(svg, [q.name === 'max' ? el('line', { x1: x(q.ns), x2: x(q.ns), y1: y - 8, y2: y + 8, class: 'end series-max' })
        : [el('line', { x1: x(from), x2: x(to), y1: y, y2: y, class: 'range series-' + q.name }), el('circle', { cx: x(q.ns), cy: y, r: 3, class: 'series-' + q.name })]]);
    });
  });
  return figure('Percentiles with their 95 % intervals; the dashed line is the SLO', 'Percentiles of each recording',
    el('ul', { class: 'states', 'aria-hidden': 'true' }, Object.entries(quantileNames).map(([k, name]) => el('li', null, el('i', { class: 'swatch series-' + k }), name))), svg);
}
