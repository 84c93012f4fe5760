'use strict';

// table makes a table of rows. A column is {name, of: row → value, show: value →
// text or element, number: bool, sort: bool, bar: row → share, title}.
// options: caption, limit, sortable, empty.
function table(columns, rows, options = {}) {
  if (!rows.length) return el('p', { class: 'none' }, options.empty || 'None.');
  const body = el('tbody');
  let order = rows, shown = options.limit || rows.length;
  const cell = (c, row, i) => {
    const value = c.of(row);
    const text = c.show ? c.show(value, row) : value;
    const kids = c.bar ? [el('span', { class: 'bar', 'aria-hidden': 'true', style: { '--share': c.bar(row) } }), text] : text;
    return el(i === 0 ? 'th' : 'td', { scope: i === 0 ? 'row' : null, class: c.number ? 'number' : c.class }, kids);
  };
  const fill = () => {
    body.replaceChildren(...order.slice(0, shown).map((row) => el('tr', null, columns.map((c, i) => cell(c, row, i)))));
  };
  const heads = columns.map((c) => head(c, options, (down) => {
    order = rows.slice().sort((a, b) => compareValues(c.of(a), c.of(b)) * (down ? -1 : 1));
    fill();
  }));
  fill();
  const t = el('table', { class: options.class }, options.caption && el('caption', null, options.caption), el('thead', null, el('tr', null, heads)), body);
  const box = scrolls(t, options.caption || options.label || 'Table');
  if (shown >= rows.length) return box;
  const more = el('button', { type: 'button', onclick: () => { shown = rows.length; fill(); more.remove(); } }, `Show all ${count(rows.length)}`);
  return [box, more];
}

// scrolls is a box around what may be wider than the page; where it is, it can be
// reached by keys to be moved.
function scrolls(inner, label) {
  const box = el('div', { class: 'scroll' }, inner);
  new ResizeObserver(() => {
    const wide = box.scrollWidth > box.clientWidth;
    for (const [key, value] of [['tabindex', 0], ['role', 'region'], ['aria-label', label]]) {
      if (wide) box.setAttribute(key, value);
      else box.removeAttribute(key);
    }
  }).observe(box);
  return box;
}

function compareValues(a, b) {
  if (a === null || a === undefined) return -1;
  if (b === null || b === undefined) return 1;
  return typeof a === 'string' ? a.localeCompare(b) : a - b;
}

// head is a column's head; one that sorts is a button.
function head(c, options, sort) {
  const th = el('th', { scope: 'col', class: c.number ? 'number' : null, title: c.title });
  if (!options.sortable || c.sort === false) return add(th, c.name);
  return add(th, el('button', {
    type: 'button', class: 'sort', onclick: () => {
      const down = th.getAttribute('aria-sort') !== 'descending';
      for (const other of th.parentNode.children) other.removeAttribute('aria-sort');
      th.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      sort(down);
    },
  }, c.name));
}

// Columns that several tables have.
const column = {
  time: (name, of) => ({ name, of, show: (at) => el('time', { datetime: iso(at) }, clock(at)) }),
  duration: (name, of) => ({ name, of, number: true, show: (ns) => (ns === null || ns === undefined ? '–' : duration(ns)) }),
  count: (name, of) => ({ name, of, number: true, show: count }),
  text: (name, of) => ({ name, of }),
};
