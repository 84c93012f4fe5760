'use strict';

// The comparison: recordings of one load under different settings.

const all = data.recordings;
const first = all[0];

function title() {
  add(document.getElementById('top'), [
    el('div', { class: 'title' }, el('h1', null, el('span', { class: 'brand' }, 'Tailspan'), ' ', all.map((r) => r.name).join(' · ')), el('p', null, `SLO ${round(data.slo_ns)}`)),
    el('nav', { 'aria-label': 'Sections' }, [['figures', 'Figures'], ['causes', 'Causes'], ['time', 'Over time'], ['rounds', 'Recordings']].map(([id, name]) => el('a', { href: '#' + id }, name))),
  ]);
}

const sure = Math.round(100 * data.confidence) + ' %';
const side = (n) => (n === null ? '?' : duration(n));

function change(r) {
  const s = r.share;
  if (r === first) return el('span', { class: 'muted' }, '–');
  if (s.change === null) return '–';
  const text = (s.change > 0 ? '+' : '−') + Math.abs(100 * s.change).toFixed(0) + ' %';
  if (!s.differs) return el('span', { class: 'muted', title: 'The intervals of both overlap: it may be chance' }, text, el('small', null, ' may be chance'));
  return el('strong', { class: s.change < 0 ? 'better' : 'worse' }, text);
}

function figuresTable() {
  const quantile = (k) => ({
    name: quantileNames[k], of: (r) => r.quantiles.find((q) => q.name === k).ns, number: true,
    show: (ns, r) => {
      const q = r.quantiles.find((x) => x.name === k);
      return [duration(ns), k !== 'max' && el('small', null, ` ${side(q.low_ns)} – ${side(q.high_ns)}`)];
    },
  });
  const off = Math.max(...all.map((r) => r.latency.error || 0));
  return [table([
    { name: 'Recording', of: (r) => r.name, show: (name, r) => [el('strong', null, name), r.of === 'appends' && el('small', null, 'appends: no request could be read')] },
    column.count('Requests', (r) => r.latency.count), column.count('Slow', (r) => r.slow.count),
    { name: 'Over the SLO', of: (r) => r.share.share, number: true, show: (s, r) => [percent(s), el('small', null, ` ${percent(r.share.low)} – ${percent(r.share.high)}`)] },
    { name: 'Change', of: (r) => r.share.change, number: true, show: (_, r) => change(r) },
    ...['p50', 'p99', 'p999', 'max'].map(quantile), column.duration('Lost', (r) => r.slow.lost_ns), column.count('Incidents', (r) => r.incidents),
  ], all, { caption: `Changes are against ${first.name}; below a figure stands its ${sure} interval; lost is the time beyond the SLO, all requests together`, sortable: true, class: 'wide' }),
  el('p', { class: 'note' }, `The intervals (Wilson's for shares, order statistics for percentiles) would hold the true value in ${sure} of the cases if requests were slow independently of one another. One stall makes many slow at once, so they are too narrow: rounds of the same setting say more.`),
  off > 0 && el('p', { class: 'note' }, `There are too many values to keep each: percentiles may be off by ${percent(off)}.`)];
}

// causes puts what made requests slow side by side.
function causes() {
  const total = new Map();
  for (const r of all) for (const c of r.causes) total.set(c.root, (total.get(c.root) || 0) + c.count);
  const rows = [...total].sort((a, b) => b[1] - a[1]).map(([root]) => root);
  const of = (r, root) => r.causes.filter((c) => c.root === root).reduce((sum, c) => [sum[0] + c.count, sum[1] + c.lost_ns], [0, 0]);
  return table([
    { name: 'Root cause', of: (root) => cause(root), show: (name, root) => [el('code', null, name), el('small', null, data.cause_words[root] || '')] },
    ...all.map((r) => ({
      name: r.name, of: (root) => of(r, root)[0], number: true,
      show: (n, root) => [count(n), el('small', null, ` ${r.latency.count ? percent(n / r.latency.count) : '–'}, ${duration(of(r, root)[1])}`)],
    })),
  ], rows, { caption: 'Slow requests by what they go back to: how many, their share of all, and the time beyond the SLO', empty: 'No request was slow.', sortable: true, class: 'wide' });
}

// sideBySide has all heatmaps on the same scales: of time, latency and colour.
function sideBySide() {
  const columns = all.map((r) => columnsOf(r.timeline));
  const length = Math.max(...all.map((r, i) => (columns[i].length ? (columns[i][columns[i].length - 1].at + r.timeline.width_ns) / 1e9 : 0)));
  const from = Math.min(0, ...columns.map((c) => (c.length ? c[0].at / 1e9 : 0)));
  const shared = { series: [], scale: {}, rows: {} };
  series.forEach((_, s) => {
    const each = columns.map((c) => extent(c, s)).filter((e) => e.high >= 0);
    if (!each.length) return;
    shared.series.push(s);
    shared.scale[s] = Math.max(...each.map((e) => e.most));
    const slo = series[s].slow ? first.timeline.edges_ns.findIndex((x) => x > data.slo_ns) : -1;
    shared.rows[s] = [Math.max(0, Math.min(...each.map((e) => e.low)) - 1), Math.max(...each.map((e) => e.high + 1), slo + 1)];
  });
  return [el('p', null, 'From where each recording begins; latency, time and colour are on one scale. What stands in one column ended at the same time.'), legend(true),
    el('div', { class: 'side' }, all.map((r, i) => {
      if (!columns[i].length) return figure(r.name, r.name, el('p', { class: 'none' }, 'Nothing ended.'));
      const view = { ...shared, timeline: { ...r.timeline, edges: r.timeline.edges_ns }, columns: columns[i], slo: data.slo_ns, key: 'side', incidents: [], from, to: length, relative: true, height: 0.75, heading: 'h4' };
      return el('div', null, el('h3', null, r.name), figure('', `${r.name}: ` + shared.series.map((s) => describe(view, s)).join(' '), panels(view).box));
    }))];
}

function rounds() {
  const rows = all.flatMap((r) => r.sources.map((s) => ({ ...s, of: r.name })));
  return [table([
    column.text('Recording', (s) => s.name), column.text('Taken as', (s) => s.of), column.count('Requests', (s) => s.requests), column.count('Slow', (s) => s.slow),
    { name: 'Share over the SLO', of: (s) => (s.requests ? s.slow / s.requests : 0), number: true, show: percent },
  ], rows, { caption: 'Each recording by itself', sortable: true }),
  all.flatMap((r) => r.notices).map((n) => el('p', { class: 'notice', role: 'note' }, n)),
  all.map((r) => Object.keys(r.lost || {}).length > 0 && lazy(`Not everything could be seen in ${r.name}`, () => table([column.text('What', (x) => x[0]), column.count('Number', (x) => x[1])], Object.entries(r.lost))))];
}

title();
add(document.getElementById('main'), [
  section('figures', 'How slow, how often', figuresTable(), intervals()),
  section('causes', 'What changed by root cause', causes()),
  section('time', 'Over time, side by side', sideBySide()),
  section('rounds', 'Recordings', rounds()),
  el('footer', null, el('p', null, `Made by tailspan ${data.tailspan}. A request is slow if it took as long as its objective or longer. Percentiles are nearest ranks.`)),
]);
