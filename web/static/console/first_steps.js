/** What to do next, on a server that has not yet done the main job once. */

import { element, refill } from "../elements.js";
import { EXAMPLES, linkTo } from "../graphiql/examples.js";

/** Shows the three steps, with those done ticked off; nothing once all are. */
export function showFirstSteps(place, { customers, segments, campaignsByStatus }) {
  const launched = campaignsByStatus.some(({ status, count }) => status !== "DRAFT" && count > 0);
  const done = { customers: customers > 0, segments: segments > 0, launched };
  place.hidden = Object.values(done).every(Boolean);
  refill(place, done, () => [
    element("h2", { id: "first-steps-title" }, "First steps"),
    element("ol", {}, ...steps(done)),
  ]);
}

function steps({ customers, segments, launched }) {
  return [
    step(customers, "Bring in customers", "Send them and their orders; three of each are ready to run.", {
      href: linkTo(EXAMPLES.ingest),
      text: "Ingest in GraphiQL",
    }),
    step(segments, "Say who you mean", "Describe them in a query, look at the people, and save the segment.", {
      href: "#ask",
      text: "Write a query",
    }),
    step(launched, "Launch a campaign", "Give the segment a message, launch it, and come back to watch it go out.", {
      href: linkTo(EXAMPLES.launch),
      text: "Launch in GraphiQL",
    }),
  ];
}

function step(done, title, text, link) {
  return element(
    "li",
    { class: done ? "done" : null },
    element("h3", {}, title, done && element("span", { class: "visually-hidden" }, " (done)")),
    element("p", { class: "note" }, text),
    !done && element("p", {}, element("a", { href: link.href }, link.text)),
  );
}
