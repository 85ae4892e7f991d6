/** The figures at the head of the console. */

import { element } from "../elements.js";
import { count, counted, money, share } from "./figures.js";

/** Shows the overview's figures. */
export function showOverview(place, overview, currency) {
  const { customers, orders, revenue, segments, campaignsByStatus, messagesLast30Days: messages } = overview;
  const running = campaignsByStatus.find(({ status }) => status === "RUNNING")?.count ?? 0;
  const campaigns = campaignsByStatus.reduce((sum, { count }) => sum + count, 0);
  place.replaceChildren(
    tile("Customers", count(customers), counted(segments, "segment")),
    tile("Orders", count(orders), customers ? `${(orders / customers).toFixed(1)} per customer` : "none yet"),
    tile("Revenue", money(revenue, currency), orders ? `${money(revenue / orders, currency)} per order` : "none yet"),
    tile("Campaigns", count(campaigns), running ? `${count(running)} running now` : "none running"),
    tile(
      "Delivered in 30 days",
      count(messages.delivered),
      messages.deliveryRate === null ? "no outcomes yet" : `${share(messages.deliveryRate)} of known outcomes`,
    ),
  );
}

function tile(label, figure, note) {
  return element(
    "div",
    { class: "tile" },
    element("p", { class: "label" }, label),
    element("p", { class: "figure" }, figure),
    element("p", { class: "note" }, note),
  );
}
