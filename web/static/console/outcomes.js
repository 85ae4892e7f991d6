/** Outcomes over time: of one campaign as it goes out, or of the recent campaigns side by side. */

import { element } from "../elements.js";
import { areaChart, columnChart } from "./chart.js";
import { FATES } from "./fates.js";
import { count, share } from "./figures.js";

const ALL = "";

/** Gives the function that shows the outcomes of these campaigns. */
export function outcomesPanel(place) {
  let chosen = null; // what the user chose; until then, the campaign that is going out
  let shown = ALL;
  let latest = null;
  const choice = element("select", { "aria-label": "Which campaign", hidden: true });
  const figure = element("figure");
  const legend = element("ul", { class: "legend" });
  const head = element("div", { class: "head" }, element("h2", { id: "outcomes-title" }, "Outcomes over time"), choice);
  place.replaceChildren(head, figure, legend);
  choice.addEventListener("change", () => {
    chosen = choice.value;
    latest();
  });
  const show = (campaigns, history) => {
    latest = () => show(campaigns, history);
    const launched = campaigns.filter(({ stats }) => stats.audience > 0);
    const moving = launched.find(({ id, status }) => status === "RUNNING" && history.of(id).length > 1);
    shown = chosen ?? moving?.id ?? shown;
    offer(choice, launched, shown);
    const one = launched.find(({ id }) => id === shown);
    choice.hidden = launched.length === 0;
    figure.replaceChildren(...drawing(one, launched, history, figure.clientWidth));
    legend.replaceChildren(...explained(one ? one.stats : total(launched)));
  };
  new ResizeObserver(() => latest?.()).observe(place);
  return show;
}

function offer(choice, campaigns, shown) {
  const options = [{ id: ALL, name: "All recent campaigns" }, ...campaigns];
  const known = [...choice.options].map(({ value }) => value);
  if (options.some(({ id }, index) => known[index] !== id) || known.length !== options.length) {
    choice.replaceChildren(...options.map(({ id, name }) => element("option", { value: id }, name)));
  }
  choice.value = shown;
}

function drawing(one, launched, history, width) {
  if (launched.length === 0) {
    return [element("p", { class: "empty" }, "Once a campaign goes out, its outcomes are drawn here as they arrive.")];
  }
  if (!one) return [columnChart([...launched].reverse(), width)];
  const points = history.of(one.id);
  if (points.length > 1) return [areaChart(points, width)];
  const note = "Nothing has changed since this page was opened: this is where it stands, without the course to it.";
  return [columnChart([one], width), element("figcaption", { class: "note" }, note)];
}

function explained(stats) {
  return FATES.filter(({ key }) => stats[key]).map(({ key, label }) =>
    element(
      "li",
      {},
      element("i", { class: key }),
      label,
      element("b", {}, count(stats[key])),
      element("span", { class: "note" }, share(stats[key] / stats.audience)),
    ),
  );
}

function total(campaigns) {
  const sum = (key) => campaigns.reduce((all, { stats }) => all + stats[key], 0);
  return Object.fromEntries(["audience", ...FATES.map(({ key }) => key)].map((key) => [key, sum(key)]));
}
