/** The campaigns, newest first, each with a bar of what became of its messages. */

import { element } from "../elements.js";
import { EXAMPLES, linkTo } from "../graphiql/examples.js";
import { FATES, LIVE } from "./fates.js";
import { count, counted, duration, moment, share } from "./figures.js";

/** Gives the function that shows a list of campaigns; rows are kept, so that their bars glide. */
export function campaignsPanel(place) {
  const rows = new Map();
  const list = element("ul", { class: "rows" });
  const empty = element(
    "p",
    { class: "empty", hidden: true },
    "No campaign yet. Save a segment, then make and launch a campaign for it ",
    element("a", { href: linkTo(EXAMPLES.launch) }, "in GraphiQL"),
    "; it shows here as it goes out.",
  );
  place.replaceChildren(element("h2", { id: "campaigns-title" }, "Campaigns"), list, empty);
  return (campaigns) => {
    empty.hidden = campaigns.length > 0;
    for (const campaign of campaigns) {
      if (!rows.has(campaign.id)) rows.set(campaign.id, row());
      rows.get(campaign.id).show(campaign);
    }
    const wanted = campaigns.map(({ id }) => rows.get(id).place);
    if (wanted.some((node, index) => list.children[index] !== node)) list.replaceChildren(...wanted);
  };
}

function row() {
  const name = element("h3");
  const status = element("span", { class: "status" });
  const about = element("p", { class: "note" });
  const figures = element("p", { class: "note figures" });
  const reason = element("p", { class: "reason" });
  const parts = FATES.map(({ key }) => element("i", { class: key }));
  const bar = element(
    "div",
    { class: "bar-of-fates", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100 },
    ...parts,
  );
  const head = element("div", { class: "head" }, name, status);
  const place = element("li", {}, head, bar, element("div", { class: "foot" }, figures, about), reason);
  const show = (campaign) => {
    name.textContent = campaign.name;
    status.textContent = campaign.status.toLowerCase();
    status.dataset.status = campaign.status;
    about.textContent = described(campaign);
    figures.textContent = progress(campaign);
    reason.textContent = campaign.statusReason ?? "";
    reason.hidden = !campaign.statusReason;
    showBar(bar, parts, campaign);
  };
  return { place, show };
}

function showBar(bar, parts, { name, status, stats }) {
  const settled = stats.audience - stats.pending - stats.sending - stats.sent;
  bar.hidden = stats.audience === 0 && status !== "PLANNING";
  bar.classList.toggle("planning", stats.audience === 0);
  bar.setAttribute("aria-label", `Progress of ${name}`);
  bar.setAttribute("aria-valuenow", stats.audience ? Math.floor((100 * settled) / stats.audience) : 0);
  const known = FATES.filter(({ key }) => stats[key]);
  bar.setAttribute("aria-valuetext", known.map(({ key, label }) => `${label} ${stats[key]}`).join(", "));
  FATES.forEach(({ key }, index) => {
    parts[index].style.flexGrow = stats[key];
  });
}

function described({ segment, channel, scheduledAt, launchedAt, createdAt, status }) {
  let when = `made ${moment(createdAt)}`;
  if (launchedAt) when = `launched ${moment(launchedAt)}`;
  else if (status === "SCHEDULED") when = `launches ${moment(scheduledAt)}`;
  return [segment?.name, channel === "SMS" ? "SMS" : "e-mail", when].filter(Boolean).join(" · ");
}

function progress({ status, stats, messagesPerSecond, etaSeconds }) {
  if (status === "DRAFT") return "Not launched yet";
  if (status === "SCHEDULED") return "Waiting for its time";
  if (status === "PLANNING") return "Working out who gets what…";
  if (stats.audience === 0) return "Nobody was in the segment";
  const parts = [`${count(stats.delivered)} of ${counted(stats.audience, "customer")} reached`];
  if (stats.deliveryRate !== null) parts.push(`${share(stats.deliveryRate)} delivery`);
  if (LIVE.has(status) && messagesPerSecond) parts.push(`${count(Math.round(messagesPerSecond))}/s`);
  if (LIVE.has(status) && etaSeconds) parts.push(`${duration(etaSeconds)} left`);
  return parts.join(" · ");
}
