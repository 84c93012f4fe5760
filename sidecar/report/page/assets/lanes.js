'use strict';

// The states of a lane, by their number.
const states = ['writing', 'syncing a file', 'waiting for a lock', 'stopped by the JVM', 'working', 'waiting for followers'];

// lanes shows what each thread did around an incident.
function lanes(i) {
  const l = i.lanes;
  if (!l.lanes.length) return el('p', { class: 'none' }, 'No probes: what threads did is not known.');
  const seen = states.map((_, s) => l.lanes.some((x) => x.totals_ns[s] > 0));
  const from = i.start - l.start, share = (ns) => `${100 * ns / l.length_ns}%`;
  const ticks = axisTicks(l.length_ns, from, 8);
  const axis = el('div', { class: 'lane axis', 'aria-hidden': 'true' }, el('span'), el('div', { class: 'track' }, ticks.map((t) => el('span', { style: { left: share(t + from) } }, round(t)))));
  const label = `What ${plural(l.lanes.length, 'thread')} did from ${clock(l.start)} on, for ${duration(l.length_ns)}; the figures are in the table below.`;
  return [figure('Threads during the incident, in time from its beginning', label,
    el('ul', { class: 'states', 'aria-hidden': 'true' }, states.map((name, s) => seen[s] && el('li', null, el('i', { class: 'swatch state-' + s }), name)), el('li', null, el('i', { class: 'swatch idle' }), 'idle, or nothing seen')),
    el('div', { class: 'lanes' }, axis, l.lanes.map((x) => lane(x, l, from, i.length_ns)))),
  l.more > 0 && el('p', { class: 'note' }, `${plural(l.more, 'more thread')} are not shown.`),
  l.omitted > 0 && el('p', { class: 'note' }, `${plural(l.omitted, 'write or wait', 'writes and waits')} found no room in the picture.`),
  lazy('Figures of the threads', () => table([
    { name: 'Thread', of: (x) => thread(x.name, x.tid) },
    ...states.map((name, s) => seen[s] && column.duration(name, (x) => x.totals_ns[s])).filter(Boolean),
    column.duration('none of these', (x) => l.length_ns - x.totals_ns.reduce((a, b) => a + b)),
  ], l.lanes, { caption: `Within ${duration(l.length_ns)}; writes and waits of 0.2 ms and more`, sortable: true }))];
}

// A lane is so many units wide; browsers do not take numbers as large as those of ns.
const laneUnits = 10000;

function lane(x, l, from, length) {
  const unit = (ns) => laneUnits * ns / l.length_ns;
  const svg = el('svg', { viewBox: `0 0 ${laneUnits} 10`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    el('rect', { class: 'stall', x: unit(from), y: 0, width: unit(length), height: 10 }));
  for (let k = 0; k < x.segments.length; k += 3) {
    svg.append(el('rect', { class: 'state-' + x.segments[k], x: unit(x.segments[k + 1]), y: 1, width: Math.max(unit(x.segments[k + 2]), 6), height: 8 }));
  }
  return el('div', { class: 'lane' }, el('span', { title: x.name }, thread(x.name).replace(/^request-/, '')), el('div', { class: 'track' }, svg));
}

// axisTicks are round times from a beginning, as many as are asked for or fewer.
function axisTicks(length, from, most) {
  const rough = length / most, d = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * d).find((x) => x >= rough);
  const all = [];
  for (let t = Math.ceil(-from / step) * step; t < length - from; t += step) all.push(t);
  return all;
}
