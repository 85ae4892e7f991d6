/** Two charts in plain SVG: stacked areas over time, stacked columns side by side. */

import { shape } from "../elements.js";
import { FATES } from "./fates.js";
import { compact, count, day, duration } from "./figures.js";

const HEIGHT = 240;
const MARGIN = { top: 12, right: 6, bottom: 26, left: 46 };
const OVER_TIME = FATES.filter(({ key }) => ["delivered", "failed", "sent"].includes(key));

/** How the messages of one campaign came to their outcomes: points `{at, stats}`, oldest first. */
export function areaChart(points, width) {
  const { audience, skipped, heldOut } = points.at(-1).stats;
  const frame = framed(width, Math.max(1, audience - skipped - heldOut));
  const start = points[0].at;
  const span = Math.max(1, points.at(-1).at - start);
  const x = (at) => MARGIN.left + ((at - start) / span) * frame.breadth;
  const svg = canvas(frame, summary(points.at(-1).stats));
  let below = points.map(() => 0);
  for (const { key } of OVER_TIME) {
    const above = points.map(({ stats }, index) => below[index] + stats[key]);
    const edge = (heights) =>
      points.map(({ at }, index) => `${x(at).toFixed(1)},${frame.y(heights[index]).toFixed(1)}`);
    svg.append(shape("path", { class: `area ${key}`, d: `M${[...edge(above), ...edge(below).reverse()].join("L")}Z` }));
    below = above;
  }
  for (const part of [0, 0.5, 1]) {
    const anchor = part === 0 ? "start" : part === 1 ? "end" : "middle";
    const text = part === 0 ? "0 s" : duration((part * span) / 1000);
    svg.append(label(text, MARGIN.left + part * frame.breadth, HEIGHT - 7, anchor));
  }
  return svg;
}

/** What became of the messages of each campaign, a column each, in the order given. */
export function columnChart(campaigns, width) {
  const frame = framed(width, Math.max(...campaigns.map(({ stats }) => stats.audience)));
  const step = frame.breadth / campaigns.length;
  const thickness = Math.min(44, step * 0.62);
  const svg = canvas(frame, campaigns.map(({ name, stats }) => `${name}: ${summary(stats)}`).join(" "));
  campaigns.forEach(({ name, stats, launchedAt }, index) => {
    const middle = MARGIN.left + step * (index + 0.5);
    svg.append(column(frame, stats, middle - thickness / 2, thickness, `${name}: ${summary(stats)}`));
    if (launchedAt && step > 34) svg.append(label(day(launchedAt), middle, HEIGHT - 7, "middle"));
  });
  return svg;
}

function column(frame, stats, x, width, title) {
  let below = 0;
  const parts = FATES.filter(({ key }) => stats[key]).map(({ key }) => {
    const top = frame.y(below + stats[key]);
    const part = shape("rect", { class: key, x, width, y: top, height: frame.y(below) - top });
    below += stats[key];
    return part;
  });
  return shape("g", {}, shape("title", {}, title), ...parts);
}

function framed(width, most) {
  const breadth = Math.max(120, width) - MARGIN.left - MARGIN.right;
  const top = rounded(most);
  const y = (value) => HEIGHT - MARGIN.bottom - (value / top) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  return { width: Math.max(120, width), breadth, top, y };
}

function canvas({ width, breadth, top, y }, description) {
  const svg = shape("svg", {
    width,
    height: HEIGHT,
    viewBox: `0 0 ${width} ${HEIGHT}`,
    role: "img",
    "aria-label": description,
  });
  for (const value of [0, top / 2, top]) {
    svg.append(
      shape("line", { class: "grid", x1: MARGIN.left, x2: MARGIN.left + breadth, y1: y(value), y2: y(value) }),
    );
    svg.append(label(compact(value), MARGIN.left - 8, y(value) + 4, "end"));
  }
  return svg;
}

function label(text, x, y, anchor) {
  return shape("text", { x, y, "text-anchor": anchor }, text);
}

/** The next number up that is easy to read, and whole when halved. */
function rounded(most) {
  const unit = 10 ** Math.floor(Math.log10(most));
  const steps = unit === 1 ? [2, 4, 6, 8] : [1, 1.2, 1.6, 2, 3, 4, 5, 6, 8];
  return unit * (steps.find((step) => step * unit >= most) ?? 10);
}

function summary(stats) {
  return `${count(stats.delivered)} delivered, ${count(stats.failed)} failed, of ${count(stats.audience)}.`;
}
