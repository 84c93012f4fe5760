'use strict';

// tiles are the figures that one looks for first.
function tiles() {
  const of = data.requests.count || !data.appends.count ? data.requests : data.appends;
  const slow = of === data.requests ? data.slow : data.slow_appends;
  const tile = (name, value, note, tone) => el('div', { class: 'tile ' + (tone || '') }, el('dt', null, name), el('dd', null, value, note && el('small', null, note)));
  return el('dl', { class: 'tiles' },
    tile(of === data.requests ? 'Produce requests' : 'Appends', count(of.count), data.unanswered ? `and ${count(data.unanswered)} without an answer` : ''),
    tile(`Over SLO (${round(data.slo_ns)})`, of.count ? percent(slow.count / of.count) : '–', count(slow.count) + ' slow', slow.count ? 'bad' : 'good'),
    tile('Median', duration(of.p50_ns)), tile('p99', duration(of.p99_ns)), tile('p99.9', duration(of.p999_ns)),
    tile('Slowest', duration(of.max_ns)),
    tile('Lost beyond the SLO', duration(slow.lost_ns), plural(data.incidents.length + data.incidents_dropped.incidents, 'incident')));
}

// percentiles is a table of how long things took.
function percentiles() {
  const rows = [['Produce requests', data.requests], ['Appends without a request', data.appends], ['Writes to segments', data.writes],
    ['Waits for Java monitors', data.waits], ['Journal commits', data.commits]].filter(([, d]) => d.count);
  const off = Math.max(...rows.map(([, d]) => d.error || 0));
  return [table([
    column.text('What', (r) => r[0]), column.count('Number', (r) => r[1].count),
    ...[['p50', 'p50_ns'], ['p90', 'p90_ns'], ['p99', 'p99_ns'], ['p99.9', 'p999_ns'], ['Slowest', 'max_ns'], ['All in all', 'ns']].map(([name, key]) => column.duration(name, (r) => r[1][key])),
  ], rows, { caption: 'Percentiles (nearest rank)', empty: 'Nothing was timed.' }),
  off > 0 && el('p', { class: 'note' }, `There are too many values to keep each: percentiles may be off by ${percent(off)}.`)];
}

// overTime is the heatmaps, with what leads to incidents above and what is at the
// cursor below.
function overTime() {
  const columns = columnsOf(data.timeline);
  if (!columns.length) return el('p', { class: 'none' }, 'Nothing ended that could be shown over time.');
  const width = data.timeline.width_ns;
  const view = {
    timeline: { ...data.timeline, edges: data.timeline.edges_ns }, columns, slo: data.slo_ns, key: 'time', incidents: data.incidents,
    from: columns[0].at / 1e9, to: (columns[columns.length - 1].at + width) / 1e9, series: [], scale: {}, rows: {},
  };
  series.forEach((_, s) => {
    const e = extent(columns, s);
    if (e.high < 0) return;
    view.series.push(s);
    view.scale[s] = e.most;
    const slo = series[s].slow ? data.timeline.edges_ns.findIndex((x) => x > data.slo_ns) : -1;
    view.rows[s] = [Math.max(0, e.low - 1), Math.max(e.high + 1, slo + 1)];
  });
  const marks = el('div', { class: 'marks', role: 'group', 'aria-label': 'Incidents on the axis of time' });
  const readout = el('output', { class: 'readout', for: 'column' });
  const slider = el('input', { type: 'range', id: 'column', min: 0, max: columns.length - 1, value: 0, 'aria-label': 'Column of time' });
  const show = (i) => {
    slider.value = i;
    const text = readColumn(columns[i], width, view.series);
    slider.setAttribute('aria-valuetext', text);
    readout.replaceChildren(text);
  };
  view.onColumn = show;
  const p = panels(view, (u) => placeMarks(marks, u));
  slider.addEventListener('input', () => {
    const i = Number(slider.value), u = p.charts[0];
    u.setCursor({ left: u.valToPos((columns[i].at + width / 2) / 1e9, 'x'), top: 10 });
    show(i);
  });
  const worst = columns.reduce((best, c, i) => (c.slow > columns[best].slow ? i : best), 0);
  show(worst);
  zoomTo = (i) => p.zoom((i.start - i.length_ns * 0.3) / 1e9, (i.start + i.length_ns * 1.3) / 1e9);
  return [
    figure('Latency over time: what stands in one column ended at the same time', `Heatmaps over time: ${view.series.map((s) => describe(view, s)).join(' ')}`,
      marks, p.box, el('div', { class: 'controls' }, el('label', { for: 'column' }, 'Column'), slider,
        el('button', { type: 'button', onclick: p.reset }, 'Whole time')), readout, legend(true)),
    el('p', { class: 'note' }, `Each column is ${round(width)} wide. Drag over a picture to look closer; a double click shows the whole time again. Times are UTC.`),
    lazy('All columns as a table', () => columnTable(columns, view.series)),
  ];
}

// zoomTo shows an incident in the heatmaps; set once these are there.
let zoomTo = () => {};

function readColumn(c, width, all) {
  const parts = all.filter((s) => c.count[s]).map((s) => `${plural(c.count[s], series[s].what)}, up to ${duration(c.max[s])}` + (s === 0 && c.slow ? `, ${count(c.slow)} slow` : ''));
  return `${clock(c.at)} + ${round(width)}: ` + (parts.join('; ') || 'nothing');
}

function columnTable(columns, all) {
  return table([
    column.time('From', (c) => c.at),
    ...all.flatMap((s) => [column.count(series[s].name, (c) => c.count[s]), column.duration('slowest', (c) => c.max[s] || null)]),
    column.count('Slow', (c) => c.slow),
  ], columns, { caption: 'What ended in each column of time', limit: 200 });
}

// placeMarks puts the incidents' numbers above the first picture; where they would
// stand upon one another, the more costly one is shown.
function placeMarks(box, u) {
  const right = u.bbox.width / devicePixelRatio, taken = [];
  const all = data.incidents.filter((i) => i.lanes).sort((a, b) => b.lost_ns - a.lost_ns);
  box.replaceChildren(...all.map((i) => {
    const x = u.valToPos((i.start + i.length_ns / 2) / 1e9, 'x');
    if (x < 0 || x > right || taken.some((t) => Math.abs(t - x) < 26)) return null;
    taken.push(x);
    return [x, el('a', { href: '#incident-' + i.number, class: 'mark', style: { left: `${x + axisWidth}px` }, 'aria-label': `Incident ${i.number}, ${plural(i.count, 'slow request')}` }, String(i.number))];
  }).filter(Boolean).sort((a, b) => a[0] - b[0]).map((x) => x[1]));
}

function causesTable() {
  const total = data.causes.reduce((sum, c) => sum + c.count, 0);
  return table([
    { name: 'Root cause', of: (c) => cause(c.root), show: (name, c) => [el('code', null, name), el('small', null, data.cause_words[c.root] || '')] },
    { name: 'Why the kernel let it last', of: (c) => c.reason || '–' },
    column.count('Slow', (c) => c.count),
    { name: 'Share', of: (c) => c.count / total, number: true, show: percent, bar: (c) => c.count / total },
    column.duration('Took, all in all', (c) => c.ns), column.duration('Beyond the SLO', (c) => c.lost_ns), column.duration('Longest', (c) => c.max_ns),
  ], data.causes, { caption: 'Slow requests by what they go back to', empty: `No request took ${round(data.slo_ns)} or longer.`, sortable: true });
}

function topicsTable() {
  const rows = data.topics;
  return [table([
    column.text('Topic', (t) => t.name), column.count('Requests', (t) => t.requests), column.count('Records', (t) => t.records),
    { name: 'Bytes', of: (t) => t.bytes, number: true, show: bytes }, column.count('Errors', (t) => t.errors),
    column.duration('p50', (t) => t.p50_ns), column.duration('p99', (t) => t.p99_ns), column.duration('Slowest', (t) => t.max_ns),
    column.count('Slow', (t) => t.slow.count), { name: 'Share', of: (t) => t.slow.count / t.requests, number: true, show: percent },
    column.duration('Beyond the SLO', (t) => t.slow.lost_ns),
  ], rows, { caption: 'Topics, the most time lost first', sortable: true, limit: 20, empty: 'No request was read.' }),
  data.topic_count > rows.length && el('p', { class: 'note' }, `${count(data.topic_count - rows.length)} more topics lost less.`)];
}

function threadsTable() {
  const several = new Set(data.threads.map((t) => t.pid)).size > 1;
  return [table([
    { name: 'Thread', of: (t) => thread(t.name, t.tid), show: (name, t) => el('span', { title: t.name }, name) }, ...(several ? [{ name: 'Process', of: (t) => t.pid, number: true }] : []),
    column.count('Writes', (t) => t.writes.count), column.duration('Writing', (t) => t.writes.ns), column.duration('Longest write', (t) => t.writes.max_ns),
    column.count('Waits', (t) => t.waits.count), column.duration('Waiting for monitors', (t) => t.waits.ns), column.duration('Longest wait', (t) => t.waits.max_ns),
    { ...column.duration('Held others up', (t) => t.held_ns), title: 'What others waited for monitors that this thread held' },
  ], data.threads, { caption: 'Threads, by what they wrote, waited and held others up', sortable: true, limit: 20, empty: 'No probes: nothing is known of threads.' }),
  data.thread_count > data.threads.length && el('p', { class: 'note' }, `${count(data.thread_count - data.threads.length)} more threads took less.`)];
}
