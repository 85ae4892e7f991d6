/** The answer to "who do you mean?": how many, by which rules, on what assumptions, and some of the people. */

import { execute } from "../api.js";
import { complaint, element } from "../elements.js";
import { count, counted, money } from "./figures.js";
import { SAVE } from "./queries.js";
import { queryText } from "./query_text.js";

const SOURCES = { GEMINI: "read by Gemini", BUILT_IN: "read by the built-in reader" };

/** The parts of the answer, for a preview and, when it began as a sentence, how that was read (else null). */
export function answer(preview, reading, { open, saved }) {
  const { query, rules, audienceSize, sample } = preview;
  const origin = reading && element("span", { class: "note" }, SOURCES[reading.source]);
  return [
    element(
      "p",
      { class: "total" },
      element("b", {}, count(audienceSize)),
      audienceSize === 1 ? " customer " : " customers ",
      origin,
    ),
    queryText(query),
    reading?.explanation && element("p", {}, reading.explanation),
    ...(reading ? doubts(reading, open) : []),
    people(sample, audienceSize),
    element("details", {}, element("summary", {}, "Rules as JSON"), element("pre", {}, JSON.stringify(rules, null, 2))),
    saving({ query, sentence: reading?.prompt }, saved),
  ].filter(Boolean);
}

function doubts({ query, assumptions, unmatched, alternatives }, open) {
  const others = alternatives.map((other) =>
    element(
      "li",
      {},
      element("button", { class: "link", onclick: () => open(other.query) }, counted(other.audienceSize, "customer")),
      ": ",
      other.explanation,
    ),
  );
  return [
    assumptions.length > 0 &&
      remark(
        "Assumed",
        assumptions.map((text) => element("li", {}, text)),
      ),
    unmatched.length > 0 &&
      remark(
        "No rule covers",
        unmatched.map((word) => element("li", {}, `“${word}”`)),
        "warn",
      ),
    others.length > 0 && remark("Or did you mean", others),
    element(
      "p",
      { class: "note" },
      "Not quite? ",
      element("button", { class: "link", onclick: () => open(query) }, "Edit it as a query"),
      ".",
    ),
  ].filter(Boolean);
}

function remark(title, items, kind = "") {
  return element("div", { class: `remark ${kind}` }, element("h3", {}, title), element("ul", {}, ...items));
}

function people(sample, audienceSize) {
  if (sample.length === 0) return element("p", { class: "empty" }, "Nobody fits these rules now.");
  const rows = sample.map(({ name, email, externalId, city, totalSpend }) =>
    element(
      "tr",
      {},
      element("td", {}, name || email || externalId || "unnamed"),
      element("td", {}, city ?? ""),
      element("td", {}, money(totalSpend)),
    ),
  );
  const head = element("tr", {}, ...["Name", "City", "Spent"].map((title) => element("th", { scope: "col" }, title)));
  const caption = audienceSize > sample.length ? `${sample.length} of them` : "All of them";
  return element(
    "table",
    {},
    element("caption", {}, caption),
    element("thead", {}, head),
    element("tbody", {}, ...rows),
  );
}

function saving(what, saved) {
  const name = element("input", {
    name: "name",
    placeholder: "Name of the segment",
    "aria-label": "Name of the segment",
    required: true,
  });
  const outcome = element("div", { "aria-live": "polite" });
  const form = element("form", { class: "saving" }, name, element("button", { type: "submit" }, "Save segment"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    outcome.replaceChildren(await save(name.value.trim(), what, saved).catch((error) => complaint(error.message)));
  });
  return element("div", {}, form, outcome);
}

/** Saves the query that was looked at, not the sentence: read once more it might be understood in another way. */
async function save(name, { query, sentence }, saved) {
  const { createSegment } = await execute(SAVE, { input: { name, description: sentence, definition: { query } } });
  if (createSegment.userErrors.length) return complaint(...createSegment.userErrors.map(({ message }) => message));
  await saved();
  return element("p", { class: "note" }, `“${name}” is saved.`);
}
