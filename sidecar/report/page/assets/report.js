'use strict';

// The report: a page of one recording, or of several taken together.

const main = document.getElementById('main');
const place = el('article', { id: 'trace', 'aria-live': 'polite' });

function header() {
  const names = data.sources.map((s) => s.name);
  const shown = names.slice(0, 4).join(', ') + (names.length > 4 ? ` and ${names.length - 4} more` : '');
  const end = day(0) === day(data.length_ns) ? clock(data.length_ns) : day(data.length_ns) + ' ' + clock(data.length_ns);
  const parts = [['overview', 'Overview'], ['time', 'Over time'], ['causes', 'Causes'], ['incidents', 'Incidents'], ['traces', 'Traces'], ['topics', 'Topics'], ['threads', 'Threads']];
  add(document.getElementById('top'), [
    el('div', { class: 'title' }, el('h1', null, el('span', { class: 'brand' }, 'Tailspan'), ' ', shown || 'report'),
      el('p', null, `${day(0)} ${clock(0)} to ${end} UTC, ${duration(data.length_ns)}`)),
    el('nav', { 'aria-label': 'Sections' }, parts.map(([id, name]) => el('a', { href: '#' + id }, name))),
  ]);
}

function notices() {
  const lost = Object.entries(data.lost || {});
  return [
    data.notices.map((n) => el('p', { class: 'notice', role: 'note' }, n)),
    lost.length > 0 && lazy('Not everything could be seen', () => table([column.text('What', (r) => r[0]), column.count('Number', (r) => r[1])], lost, { caption: 'What could not be seen' }), { class: 'notice' }),
    data.links_missed > 0 && el('p', { class: 'note' }, `${plural(data.links_missed, 'link')} lead to traces for which there was no room.`),
  ];
}

function footer() {
  return el('footer', null, el('p', null, `Made by tailspan ${data.tailspan}. A request is slow if it took as long as its objective or longer. Latency is from the first byte in to the first byte out. Percentiles are nearest ranks. All figures are those of `,
    el('code', null, 'tailspan replay --print requests|writes|waits|commits --format jsonl'), ' for the same recording.'));
}

// follow shows what the address asks for: a trace, an incident or a section.
function follow() {
  const [, what, rest] = location.hash.match(/^#(trace|incident)-([0-9a-f-]+)$/) || [];
  if (what === 'trace') {
    const [id, span] = rest.split('-'), t = traceById.get(id);
    if (!t) return;
    const title = showTrace(t, place);
    const row = span && document.getElementById(`s-${id}-${span}-row`);
    if (row) row.classList.add('target');
    title.focus({ preventScroll: true });
    place.scrollIntoView();
  }
  if (what === 'incident') {
    const d = document.getElementById('incident-' + rest);
    if (!d) return;
    d.hidden = false;
    d.fill();
    d.scrollIntoView();
    d.firstChild.focus({ preventScroll: true });
  }
}

header();
add(main, [
  notices(),
  section('overview', 'Overview', tiles(), percentiles()),
  section('time', 'Over time', overTime()),
  section('causes', 'Why requests were slow', causesTable()),
  section('incidents', 'Incidents', incidentList()),
  section('traces', 'Slow requests', traceTable(), place),
  section('topics', 'Topics', topicsTable()),
  section('threads', 'Threads', threadsTable()),
  footer(),
]);
const slowest = data.traces.find((t) => t.slow);
if (slowest) showTrace(slowest, place);
addEventListener('hashchange', follow);
follow();
