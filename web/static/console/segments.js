/** The saved segments, each with how many customers are in it now. */

import { element, refill } from "../elements.js";
import { count, share } from "./figures.js";
import { queryText } from "./query_text.js";

/** Gives the function that shows the segments; `open` is called with the query of one that is clicked. */
export function segmentsPanel(place, open) {
  const list = element("ul", { class: "rows" });
  const empty = element("p", { class: "empty", hidden: true }, "No segment yet. Describe one above, and save it.");
  place.replaceChildren(element("h2", { id: "segments-title" }, "Segments"), list, empty);
  return (segments, customers) => {
    empty.hidden = segments.length > 0;
    refill(list, [segments, customers], () => segments.map((segment) => row(segment, customers, open)));
  };
}

function row({ name, query, description, audienceSize }, customers, open) {
  const part = customers ? audienceSize / customers : 0;
  const bar = element("i", { class: "delivered" });
  bar.style.flexGrow = part;
  const rest = element("i");
  rest.style.flexGrow = 1 - part;
  const size = element("span", { class: "size", title: `${share(part)} of all customers` }, count(audienceSize));
  return element(
    "li",
    {},
    element("div", { class: "head" }, element("h3", {}, name), size),
    element("div", { class: "bar-of-fates thin", "aria-hidden": "true" }, bar, rest),
    description && element("p", { class: "note" }, description),
    element(
      "button",
      { class: "quiet", title: "Look at it in the box above", onclick: () => open(query) },
      queryText(query),
    ),
  );
}
