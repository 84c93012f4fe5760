'use strict';

const traceById = new Map((data.traces || []).map((t) => [t.id, t]));
const text = (i) => data.strings[i];
const rootOf = (t) => t.spans[0];

// traceLink leads to a trace of this page; what is not in it is only named.
function traceLink(id, label) {
  return traceById.has(id) ? el('a', { href: '#trace-' + id }, label) : el('span', { class: 'muted', title: 'this trace is not in the page' }, label);
}

function incidentList() {
  if (!data.incidents.length) return el('p', { class: 'none' }, `No incident: no request took ${round(data.slo_ns)} or longer.`);
  const drawn = data.incidents.filter((i) => i.lanes);
  const costly = drawn.slice().sort((a, b) => b.lost_ns - a.lost_ns), worst = costly[0], shown = new Set(costly.slice(0, incidentsShown));
  const dropped = data.incidents_dropped;
  return [
    el('p', null, 'An incident is a time in which at least one slow request was under way at every moment, but for gaps of 50 ms.'),
    incidentTable(),
    drawn.map((i) => lazy(incidentTitle(i), () => incident(i), { class: 'incident', id: 'incident-' + i.number, open: i === worst, hidden: !shown.has(i) })),
    drawn.length > shown.size && el('button', { type: 'button', id: 'more-incidents', onclick: moreIncidents }, `Show all ${drawn.length}`),
    data.incidents_flat > 0 && el('p', { class: 'note' }, `${plural(data.incidents_flat, 'incident')} that cost less have no picture.`),
    dropped.incidents > 0 && el('p', { class: 'note' }, `${plural(dropped.incidents, 'more incident')} that cost less, with ${plural(dropped.count, 'slow request')} and ${duration(dropped.lost_ns)} beyond the SLO, are not told apart.`),
  ];
}

const incidentsShown = 8; // with their details at first: the most costly

function moreIncidents() {
  for (const d of document.querySelectorAll('.incident')) d.hidden = false;
  const button = document.getElementById('more-incidents');
  if (button) button.remove();
}

function incidentTable() {
  return table([
    { name: 'Incident', of: (i) => i.number, show: (n, i) => (i.lanes ? el('a', { href: '#incident-' + n }, `Incident ${n}`) : `Incident ${n}`) },
    column.time('Began (UTC)', (i) => i.start), column.duration('Lasted', (i) => i.length_ns), column.count('Slow requests', (i) => i.count),
    column.duration('Beyond the SLO', (i) => i.lost_ns), column.duration('Slowest', (i) => i.max_ns),
    { name: 'Mostly because of', of: (i) => cause(i.causes[0].root), show: (name) => el('code', null, name) },
  ], data.incidents.slice().sort((a, b) => b.lost_ns - a.lost_ns), { caption: 'Incidents, the most costly first', sortable: true, limit: 10 });
}

function incidentTitle(i) {
  return [el('strong', null, `Incident ${i.number}`), ` ${clock(i.start)} UTC, ${duration(i.length_ns)}: ${plural(i.count, 'slow request')}, ${duration(i.lost_ns)} beyond the SLO, `, el('code', null, cause(i.causes[0].root))];
}

function incident(i) {
  return el('div', { class: 'body' },
    chain(i),
    lanes(i),
    el('div', { class: 'columns' },
      el('div', null, table([
        { name: 'Slow request', of: (id) => id, sort: false, show: (id) => traceLink(id, traceById.has(id) ? text(rootOf(traceById.get(id)).n) : id.slice(0, 8)) },
        column.time('Began', (id) => (traceById.has(id) ? rootOf(traceById.get(id)).s : 0)),
        column.duration('Took', (id) => (traceById.has(id) ? rootOf(traceById.get(id)).d : null)),
      ], i.requests, { caption: i.requests.length < i.count ? `The slowest ${i.requests.length} of ${count(i.count)} requests` : 'Its requests', limit: 8 })),
      el('div', null, table([
        { name: 'Write by', of: (w) => thread(w.thread, w.tid), show: (name, w) => (w.trace_id ? traceLink(w.trace_id, name) : name) },
        { name: 'File', of: (w) => w.file, show: (path) => el('span', { title: path }, file(path)) }, column.time('Began', (w) => w.start), column.duration('Took', (w) => w.ns),
        { name: 'Held up by', of: (w) => w.commit, show: (id) => (id ? traceLink(id, 'commit ' + (commitNumber(i, id) || '')) : '–') },
      ], i.writes, { caption: `The longest of ${plural(i.write_count, 'write')} of 0.2 ms and more`, limit: 8, empty: 'No write of 0.2 ms or more was seen.' }))),
    table([
      { name: 'Commit', of: (c) => c.transaction, show: (n, c) => traceLink(c.trace_id, `${n} on ${c.device}`) },
      column.time('Began', (c) => c.start), column.duration('Took', (c) => c.ns), column.duration('Locking', (c) => c.locking_ns),
      column.duration('Flushing', (c) => c.flushing_ns), column.duration('Logging', (c) => c.logging_ns),
      { name: 'Begun for', of: (c) => c.origin || '–', show: (o, c) => o + (c.by ? ' by ' + thread(c.by) : '') },
      { ...column.count('Named as holder', (c) => c.held), title: 'How often the traces of this incident link to it' },
    ], i.commits, { caption: `Journal commits meanwhile (${count(i.commit_count)})`, empty: 'No journal commit was seen meanwhile.' }),
    el('p', null, el('button', { type: 'button', onclick: () => { zoomTo(i); document.getElementById('time-title').scrollIntoView(); } }, 'Show in the heatmaps')));
}

const commitNumber = (i, id) => (i.commits.find((c) => c.trace_id === id) || {}).transaction;

// chain is the story in one line: what held up what, and whom that cost time.
function chain(i) {
  const step = (head, ...lines) => el('li', null, el('strong', null, head), lines.flat().filter(Boolean).map((l) => el('span', null, l)));
  const commit = i.commits.find((c) => c.held), steps = [];
  if (commit) {
    const phase = [['locking', commit.locking_ns], ['flushing', commit.flushing_ns], ['logging', commit.logging_ns]].sort((a, b) => b[1] - a[1])[0];
    steps.push(step(traceLink(commit.trace_id, `Commit ${commit.transaction} of ${commit.device}`), `took ${duration(commit.ns)}`, `${duration(phase[1])} of it ${phase[0]}`));
  } else {
    steps.push(step(cause(i.causes[0].root), data.cause_words[i.causes[0].root]));
  }
  const held = commit ? i.writes.filter((w) => w.commit === commit.trace_id) : [];
  if (held.length) steps.push(step(`held up ${plural(held.length, 'write')}`, `the longest for ${duration(held[0].ns)}`, thread(held[0].thread)));
  else if (i.write_count) steps.push(step(plural(i.write_count, 'write'), `took ${duration(i.write_ns)} all in all`));
  const waiters = i.lanes.lanes.map((l) => l.totals_ns[2]).filter((ns) => ns > Math.min(i.length_ns / 20, 5e6));
  if (waiters.length) steps.push(step(`made ${plural(waiters.length, 'thread')} wait`, `for locks, ${duration(waiters.reduce((a, b) => a + b))} all in all`));
  steps.push(step(`made ${plural(i.count, 'request')} slow`, `the slowest took ${duration(i.max_ns)}`, i.topics.length > 0 && i.topics.slice(0, 3).map((t) => t.name).join(', ')));
  steps.push(step(`${duration(i.lost_ns)} lost`, 'beyond the SLO, all requests together'));
  return el('ol', { class: 'chain', 'aria-label': 'What led to what' }, steps);
}
