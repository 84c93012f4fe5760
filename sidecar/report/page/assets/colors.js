'use strict';

// style gives a colour of the page's own, as the scheme has it at the moment.
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// ramp gives colours from one to the other end of a scale of counts: [light, middle, dark].
function ramp(name) {
  const stops = [0, 1, 2].map((i) => style(`--${name}-${i}`).match(/[0-9a-f]{2}/gi).map((h) => parseInt(h, 16)));
  return (share) => {
    const at = Math.min(Math.max(share, 0), 1) * 2, i = Math.min(Math.floor(at), 1), part = at - i;
    return `rgb(${stops[i].map((c, k) => Math.round(c + (stops[i + 1][k] - c) * part)).join(' ')})`;
  };
}

// kind is the class of a span's colour, as the terminal's waterfall has them.
function kind(name) {
  if (name.startsWith('produce')) return 'request';
  if (['monitor.wait', 'park.wait', 'lock.hold'].includes(name)) return 'lock';
  if (['jvm.gc', 'jvm.vmop'].includes(name)) return 'stop';
  if (['fs.write', 'broker.write', 'fs.fsync', 'broker.fsync'].includes(name)) return 'write';
  if (['ext4_dirty_inode', 'dirty_inode'].includes(name)) return 'inode';
  if (name.startsWith('jbd2.') || ['journal.commit', 'ext4.fast_commit', 'xfs.log_grant', 'xfs.log_force'].includes(name)) return 'commit';
  if (['replication.wait', 'block.io', 'kernel.wait'].includes(name)) return 'outside';
  if (name.startsWith('append')) return 'append';
  return 'queue';
}

// redraw has pictures drawn again that CSS cannot reach, when the scheme changes
// or the page is printed, which it always is in light colours.
const redraws = [];
function redraw() { for (const f of redraws) f(); }
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
for (const [event, light] of [['beforeprint', true], ['afterprint', false]]) {
  addEventListener(event, () => {
    document.documentElement.classList.toggle('light', light);
    document.documentElement.classList.toggle('printing', light); // as wide as paper
    redraw();
  });
}
