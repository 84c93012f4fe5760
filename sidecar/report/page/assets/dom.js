'use strict';

// The page's data, and how elements are made: text only ever becomes a text node.
const data = JSON.parse(document.getElementById('data').textContent);

// el makes an element. What is in props becomes an attribute, but for listeners
// (on…), a style's properties and values that are not there.
function el(tag, props, ...children) {
  const svg = 'svg rect line path g circle text'.split(' ').includes(tag);
  const e = svg ? document.createElementNS('http://www.w3.org/2000/svg', tag) : document.createElement(tag);
  for (const [key, value] of Object.entries(props || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith('on')) e.addEventListener(key.slice(2), value);
    else if (key === 'style') for (const [k, v] of Object.entries(value)) e.style.setProperty(k, v);
    else e.setAttribute(key, value === true ? '' : value);
  }
  add(e, children);
  return e;
}

// add appends texts and elements, in lists or not.
function add(parent, children) {
  for (const c of [children].flat(Infinity)) {
    if (c !== undefined && c !== null && c !== false) parent.append(c);
  }
  return parent;
}

// section is a part of the page with a heading, that the navigation leads to.
function section(id, title, ...children) {
  return el('section', { id, 'aria-labelledby': id + '-title' }, el('h2', { id: id + '-title', tabindex: -1 }, title), children);
}

// lazy is a part that is made when it is first opened.
function lazy(summary, make, props) {
  const d = el('details', props, el('summary', null, summary));
  const fill = () => {
    if (!d.open || d.dataset.full) return;
    d.dataset.full = 'yes';
    add(d, make());
  };
  d.addEventListener('toggle', fill);
  d.fill = () => { d.open = true; fill(); };
  if (props && props.open) fill();
  return d;
}

// figure is a picture with its name and a sentence in place of it for those who
// do not see it.
function figure(caption, label, ...children) {
  return el('figure', { role: 'group', 'aria-label': label || caption }, caption && el('figcaption', null, caption), children);
}
