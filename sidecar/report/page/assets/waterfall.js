'use strict';

// backLinks says who links to a trace.
const backLinks = new Map();
for (const t of data.traces || []) {
  for (const s of t.spans) {
    for (const l of s.l || []) {
      const id = text(l.t);
      if (!backLinks.has(id)) backLinks.set(id, new Map());
      backLinks.get(id).set(t.id, l.k < 0 ? '' : text(l.k));
    }
  }
}

const nameOf = (t) => `${text(rootOf(t).n)}, ${duration(rootOf(t).d)}`;
const valueOf = (s, key) => { for (let i = 0; i < (s.a || []).length; i += 2) if (text(s.a[i]) === key) return plain(s.a[i + 1]); return ''; };

// plain is a value as text.
function plain(v) {
  if (Array.isArray(v)) return text(v[0]);
  if (v && v.t) return v.t.map(text).join(', ');
  if (v && v.l) return v.l.join(', ');
  return String(v);
}

function traceTable() {
  const rows = data.traces.filter((t) => t.slow);
  return [table([
    { name: 'Request', of: (t) => text(rootOf(t).n), show: (name, t) => el('a', { href: '#trace-' + t.id }, name) },
    column.time('Began (UTC)', (t) => rootOf(t).s), column.duration('Took', (t) => rootOf(t).d),
    { name: 'Took most of it', of: (t) => cause(valueOf(rootOf(t), 'tailspan.cause')), show: (c) => el('code', null, c) },
    { name: 'Goes back to', of: (t) => cause(valueOf(rootOf(t), 'tailspan.root_cause')), show: (c) => el('code', null, c) },
    column.text('Client', (t) => valueOf(rootOf(t), 'messaging.client.id') || '–'),
  ], rows, { caption: `The slowest requests (${count(rows.length)} of ${count(data.slow.count + data.slow_appends.count)} slow ones)`, sortable: true, limit: 15, empty: 'No trace of a slow request is in this page.' }),
  data.traces_omitted > 0 && el('p', { class: 'note' }, `${plural(data.traces_omitted, 'more trace')} found no room in the page.`)];
}

// showTrace draws one trace into a place, and returns its heading.
function showTrace(t, place) {
  const root = rootOf(t);
  const title = el('h3', { tabindex: -1 }, nameOf(t), el('small', null, ` ${day(root.s)} ${clock(root.s)} UTC`));
  place.replaceChildren();
  add(place, [title, el('p', { class: 'about' }, t.about.map(text).join(' · ')), el('p', { class: 'muted id' }, 'trace ', el('code', null, t.id)),
    trail(t), waterfall(t)]);
  return title;
}

// trail says what a trace leads to, and what leads to it.
function trail(t) {
  const to = new Map();
  for (const s of t.spans) for (const l of s.l || []) if (!to.has(text(l.t))) to.set(text(l.t), l.k < 0 ? '' : text(l.k));
  const from = backLinks.get(t.id) || new Map();
  const item = (id, words) => el('li', null, words, traceById.has(id) ? traceLink(id, nameOf(traceById.get(id))) : el('code', { class: 'muted' }, id));
  const list = (title, all, words, limit = 8) => all.size > 0 && el('div', null, el('h4', null, title), el('ul', null, [...all].slice(0, limit).map(([id, k]) => item(id, words(k)))),
    all.size > limit && el('p', { class: 'note' }, `and ${count(all.size - limit)} more`));
  return [el('div', { class: 'trail' }, list('Leads to', to, (k) => (data.link_words[k] || k || 'a trace') + ': '), list('Others that waited for it, or link to it', from, () => ''))];
}

// order is a trace's spans as a tree: parents first, siblings by their start.
function order(t) {
  const kids = t.spans.map(() => []), all = [];
  t.spans.forEach((s, i) => { if (s.p >= 0) kids[s.p].push(i); });
  const walk = (i, depth) => {
    all.push([i, depth]);
    if (depth < 32) for (const k of kids[i].sort((a, b) => t.spans[a].s - t.spans[b].s)) walk(k, depth + 1);
  };
  walk(0, 0);
  return all;
}

const maxSpans = 400; // drawn of one trace: the longest

function waterfall(t) {
  const root = rootOf(t), length = Math.max(root.d, 1), all = order(t);
  const least = t.spans.length > maxSpans ? t.spans.map((s) => s.d).sort((a, b) => b - a)[maxSpans] : -1;
  const shown = all.filter(([i]) => i === 0 || t.spans[i].d > least);
  const share = (ns) => `${Math.min(Math.max(100 * ns / length, 0), 100)}%`;
  const axis = el('div', { class: 'bars', 'aria-hidden': 'true' }, axisTicks(length, 0, 5).map((x) => el('span', { class: 'tick', style: { left: share(x) } }, round(x))));
  const body = el('tbody', null, shown.flatMap(([i, depth]) => spanRows(t, i, depth, root, share)));
  return [scrolls(el('table', { class: 'waterfall' },
    el('thead', null, el('tr', null, el('th', { scope: 'col' }, 'Span'), el('th', { scope: 'col' }, el('span', { class: 'hidden' }, 'When'), axis), el('th', { scope: 'col', class: 'number' }, 'Began'), el('th', { scope: 'col', class: 'number' }, 'Took'))), body), 'Waterfall'),
  shown.length < all.length && el('p', { class: 'note' }, `${count(all.length - shown.length)} of ${count(all.length)} spans are too short to be shown.`)];
}

// spanRows are a span's row and, folded, what is known of it.
function spanRows(t, i, depth, root, share) {
  const s = t.spans[i], name = text(s.n), id = `s-${t.id}-${i}`;
  const detail = el('tr', { class: 'detail', id, hidden: true });
  const button = el('button', {
    type: 'button', class: 'span', 'aria-expanded': 'false', 'aria-controls': id, onclick: () => {
      const open = button.getAttribute('aria-expanded') !== 'true';
      if (open && !detail.firstChild) detail.append(el('td', { colspan: 4 }, attributes(s)));
      button.setAttribute('aria-expanded', String(open));
      detail.hidden = !open;
    },
  }, el('i', { class: 'swatch kind-' + kind(name), 'aria-hidden': 'true' }), name);
  const notes = i > 0 && s.f ? s.f.map(text).join(' · ') : '';
  const links = (s.l || []).map((l) => link(l));
  return [el('tr', { id: `${id}-row` },
    el('th', { scope: 'row', style: { '--depth': depth } }, button, s.e ? el('strong', { class: 'error' }, ' ' + text(s.e - 1)) : null,
      notes && el('small', null, notes), links.length > 0 && el('small', { class: 'links' }, links.slice(0, 4), links.length > 4 && ` and ${links.length - 4} more`)),
    el('td', { class: 'bars' }, el('span', { class: 'bar-span kind-' + kind(name), 'aria-hidden': 'true', style: { left: share(s.s - root.s), width: share(s.d) } })),
    el('td', { class: 'number' }, s.s === root.s ? '0' : '+' + duration(s.s - root.s)), el('td', { class: 'number' }, duration(s.d))), detail];
}

// link leads from a span to another trace's.
function link(l) {
  const id = text(l.t), k = l.k < 0 ? '' : text(l.k), t = traceById.get(id);
  const words = data.link_words[k] || k || 'link';
  if (!t) return el('span', { class: 'muted', title: 'trace ' + id + ' is not in this page' }, '→ ' + words);
  return el('a', { href: '#trace-' + id + (l.s > 0 ? '-' + l.s : '') }, `→ ${words}: ${nameOf(t)}`);
}

function attributes(s) {
  const rows = [];
  for (let i = 0; i < (s.a || []).length; i += 2) rows.push(el('div', null, el('dt', null, text(s.a[i])), el('dd', null, plain(s.a[i + 1]))));
  return el('dl', { class: 'attributes' }, rows.length ? rows : el('div', null, el('dt', null, 'no attributes')));
}
