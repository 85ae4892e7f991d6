/** The segment query language, coloured for reading. */

import { element } from "../elements.js";

const TOKEN = /("[^"]*"|'[^']*')|\b(\d[\d_.,:TZ-]*)\b|\b([A-Z]{2,})\b|([a-z]\w*(?:\.\w+)*)/g;
const CLASSES = ["string", "number", "keyword", "name"];

/** A query as a block of code. */
export function queryText(query) {
  const code = element("code", { class: "query" });
  let end = 0;
  for (const match of query.matchAll(TOKEN)) {
    const kind = CLASSES[match.slice(1).findIndex((group) => group !== undefined)];
    code.append(query.slice(end, match.index), element("span", { class: kind }, match[0]));
    end = match.index + match[0].length;
  }
  code.append(query.slice(end));
  return code;
}
