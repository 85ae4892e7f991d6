/** Asks who is meant, and shows who that is. */

import { execute } from "../api.js";
import { complaint, element } from "../elements.js";
import { answer } from "./answer.js";
import { PREVIEW, UNDERSTAND } from "./queries.js";

const MODES = {
  sentence: {
    label: "Sentence",
    placeholder: "customers who spent over 500 and have not bought for six months",
    examples: ["bought at least twice", "spent over 100, nothing bought for 6 months", "big spenders"],
    ask: understood,
  },
  query: {
    label: "Query",
    placeholder: "totalSpend > 500 AND lastPurchase < 6 months ago",
    examples: ["orderCount >= 2", "totalSpend > 100 AND lastPurchase < 6 months ago", "SUM(orders.amount) > 500"],
    ask: (query, actions) => previewed(query, null, actions),
  },
};

/** The panel "Who do you mean?"; `saved` is called after a segment was saved from it. */
export class Ask {
  #mode;
  #turn = 0;
  #place;
  #saved;
  #box = element("textarea", { rows: 2, "aria-labelledby": "ask-title", autocapitalize: "none" });
  #button = element("button", { class: "primary", type: "submit" }, "Show who");
  #examples = element("div", { class: "examples", role: "group", "aria-label": "Examples" });
  #answer = element("div", { class: "answer", "aria-live": "polite" });
  #tabs = Object.entries(MODES).map(([mode, { label }]) =>
    element("button", { type: "button", value: mode, onclick: () => this.#choose(mode) }, label),
  );

  constructor(place, saved) {
    this.#place = place;
    this.#saved = saved;
    const title = element("h2", { id: "ask-title" }, "Who do you mean?");
    const form = element("form", {}, this.#box, this.#button, this.#examples);
    form.addEventListener("submit", (event) => this.#submit(event));
    this.#box.addEventListener("keydown", (event) => submitOnEnter(event, form));
    const tabs = element("div", { class: "tabs", role: "group", "aria-label": "Ask by" }, ...this.#tabs);
    place.replaceChildren(element("div", { class: "head" }, title, tabs), form, this.#answer);
    this.#choose("sentence");
  }

  /** Puts a query into the box and runs it. */
  open(query) {
    this.#choose("query");
    this.#place.scrollIntoView({ block: "nearest", behavior: "smooth" });
    this.#run(query);
  }

  #choose(mode) {
    const { placeholder, examples } = MODES[mode];
    this.#mode = mode;
    this.#box.placeholder = placeholder;
    this.#box.classList.toggle("code", mode === "query");
    for (const tab of this.#tabs) tab.setAttribute("aria-pressed", tab.value === mode);
    this.#examples.replaceChildren(
      ...examples.map((text) => element("button", { type: "button", onclick: () => this.#run(text) }, text)),
    );
  }

  #submit(event) {
    event.preventDefault();
    const text = this.#box.value.trim();
    if (text) this.#run(text);
    else this.#box.focus();
  }

  async #run(text) {
    this.#box.value = text;
    const turn = ++this.#turn;
    this.#button.disabled = true;
    const actions = { saved: this.#saved, open: (query) => this.open(query) };
    const shown = await MODES[this.#mode].ask(text, actions).catch((error) => [complaint(error.message)]);
    if (turn !== this.#turn) return; // something else has been asked meanwhile
    this.#button.disabled = false;
    this.#examples.hidden = true; // they have shown what can be asked
    this.#answer.replaceChildren(...shown);
  }
}

function submitOnEnter(event, form) {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
}

async function understood(sentence, actions) {
  const { generateSegmentRules: reading } = await execute(UNDERSTAND, { prompt: sentence });
  if (reading.userErrors.length) return [complaint(...reading.userErrors.map(({ message }) => message))];
  return previewed(reading.query, { ...reading, prompt: sentence }, actions);
}

async function previewed(query, reading, actions) {
  const { previewSegment: preview } = await execute(PREVIEW, { query });
  if (preview.userErrors.length) return [complaint(...preview.userErrors.map(({ message }) => message))];
  return answer(preview, reading, actions);
}
