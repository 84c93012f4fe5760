'use strict';

const origin = BigInt(data.origin_unix_ns || 0); // a comparison has none

// duration has four digits at most, as tailspan prints them elsewhere.
function duration(ns) {
  if (ns < 0) return '−' + duration(-ns);
  if (ns < 1e3) return ns + ' ns';
  if (ns < 999950) return (ns / 1e3).toFixed(1) + ' µs';
  if (ns < 999950000) return (ns / 1e6).toFixed(1) + ' ms';
  if (ns < 120e9) return (ns / 1e9).toFixed(3) + ' s';
  const s = Math.round(ns / 1e9), h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
  return h ? `${count(h)} h ${m} min` : `${m} min ${s % 60} s`;
}

// round is of an axis: no digits that are not needed.
function round(ns) {
  if (ns === 0) return '0';
  const unit = ns >= 1e9 ? [1e9, 's'] : ns >= 1e6 ? [1e6, 'ms'] : ns >= 1e3 ? [1e3, 'µs'] : [1, 'ns'];
  return Number((ns / unit[0]).toPrecision(6)) + ' ' + unit[1];
}

// file is a segment's path without the zeros that its name begins with.
const file = (path) => path.replace(/\/0+(?=\d)/, '/');

const count = (n) => n.toLocaleString('en-US');
const plural = (n, one, many) => count(n) + ' ' + (n === 1 ? one : many || one + 's');

// percent has three digits that say something.
function percent(share) {
  const p = 100 * share;
  if (p === 0 || p === 100) return p + ' %';
  return (p < 0.1 ? p.toFixed(4) : p < 10 ? p.toFixed(2) : p.toFixed(1)) + ' %';
}

function bytes(n) {
  if (n < 1e4) return count(n) + ' B';
  for (const [unit, name] of [[1e12, 'TB'], [1e9, 'GB'], [1e6, 'MB'], [1e3, 'kB']]) {
    if (n >= unit) return (n / unit).toFixed(1) + ' ' + name;
  }
}

// date is the instant so many ns after the origin, in UTC.
function date(offset) {
  return new Date(Number(origin / 1000000n) + Math.floor((Number(origin % 1000000n) + offset) / 1e6));
}

const iso = (offset) => date(offset).toISOString();
const clock = (offset) => iso(offset).slice(11, 23);
const day = (offset) => iso(offset).slice(0, 10);

// thread is a thread's name without what all of them have, and its number.
function thread(name, tid) {
  return name.replace(/^data-plane-kafka-/, '').replace(/^kafka-/, '') + (tid ? ' [' + tid + ']' : '');
}

// cause is one's name, for there is one without a name.
const cause = (name) => name || '(unknown)';
