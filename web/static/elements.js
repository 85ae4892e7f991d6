/** Builds the page out of DOM nodes; no text passes through HTML, so that nobody's name can be markup. */

const SVG = "http://www.w3.org/2000/svg";
const filledWith = new WeakMap();

/** One HTML element: `element("p", { class: "note" }, "Hello ", element("b", {}, "you"))`. */
export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** One SVG element, in the same manner. */
export function shape(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

/** The one element of the page with this id. */
export function byId(id) {
  return document.getElementById(id);
}

/** A paragraph that says what went wrong, read out at once by a screen reader. */
export function complaint(...messages) {
  return element("ul", { class: "complaint", role: "alert" }, ...messages.map((text) => element("li", {}, text)));
}

/** Fills a place anew, but only when what it shows has changed: a node that is replaced loses a click half made. */
export function refill(place, shown, build) {
  const now = JSON.stringify(shown);
  if (filledWith.get(place) === now) return;
  filledWith.set(place, now);
  place.replaceChildren(...build());
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}
