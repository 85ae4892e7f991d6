/** What to do next, on a server that has not yet done the main job once. */

import { element } from "../elements.js";
import { EXAMPLES, linkTo } from "../graphiql/examples.js";

/** Shows the three steps, with those done ticked off; nothing once all are. */
export function showFirstSteps(place, { customers, segments, campaignsByStatus }) {
  const launched = campaignsByStatus.some(({ status, count }) => status !== "DRAFT" && count > 0);
  const steps = [
    step(customers > 0, "Bring in customers", "Send them and their orders; three of each are ready to run.", {
      href: linkTo(EXAMPLES.ingest),
      text: "Ingest in GraphiQL",
    }),
    step(segments > 0, "Say who you mean", "Describe them in a sentence, look at the people, and save the segment.", {
      href: "#ask",
      text: "Write a sentence",
    }),
    step(launched, "Launch a campaign", "Give the segment a message, launch it, and come back to watch it go out.", {
      href: linkTo(EXAMPLES.launch),
      text: "Launch in GraphiQL",
    }),
  ];
  place.hidden = customers > 0 && segments > 0 && launched;
  place.replaceChildren(element("h2", { id: "first-steps-title" }, "First steps"), element("ol", {}, ...steps));
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
