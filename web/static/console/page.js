/**
 * The console: what is there now, asked every few seconds, and what is moving, as it moves.
 *
 * Data flows one way: a reply or an event goes into `state`, and `draw` shows `state`. The panels keep nothing that the
 * server knows.
 */

import { execute, Refused } from "../api.js";
import { byId, element } from "../elements.js";
import * as session from "../session.js";
import { signInForm } from "../sign_in.js";
import { Ask } from "./ask.js";
import { campaignsPanel } from "./campaigns.js";
import { showFirstSteps } from "./first_steps.js";
import { History } from "./history.js";
import { Following } from "./live.js";
import { outcomesPanel } from "./outcomes.js";
import { showOverview } from "./overview.js";
import { CONSOLE, SEGMENTS } from "./queries.js";
import { segmentsPanel } from "./segments.js";

const REFRESH_MILLISECONDS = 4_000;
const SEGMENTS_EVERY = 10; // refreshes: every segment is counted anew each time

const following = new Following(takeProgress);
let state = null;
let panels = null;
let timer = null;
let drawing = false;

session.onChange((user, reason) => {
  byId("welcome").hidden = Boolean(user);
  byId("console").hidden = !user;
  byId("who").replaceChildren(...(user ? signedIn(user) : []));
  if (user) open();
  else close(reason);
});
document.addEventListener("visibilitychange", () => state && !document.hidden && refresh());

function open() {
  state = { overview: null, currency: null, segments: null, progress: new Map(), history: new History(), turn: 0 };
  trouble(null);
  const ask = new Ask(byId("ask"), refreshSegments);
  panels = {
    campaigns: campaignsPanel(byId("campaigns")),
    outcomes: outcomesPanel(byId("outcomes")),
    segments: segmentsPanel(byId("segments"), (query) => ask.open(query)),
  };
  refresh();
}

function close(reason) {
  clearTimeout(timer);
  following.only([]);
  state = null;
  byId("sign-in").replaceChildren(signInForm());
  if (reason) byId("sign-in").prepend(element("p", { class: "note", role: "status" }, reason));
}

async function refresh() {
  clearTimeout(timer);
  const asked = state;
  if (!document.hidden) await attempt(asked);
  if (state === asked) timer = setTimeout(refresh, REFRESH_MILLISECONDS);
}

async function attempt(asked) {
  try {
    const { overview, orders } = await execute(CONSOLE);
    if (state !== asked) return;
    Object.assign(state, { overview, currency: orders.nodes[0]?.currency });
    following.only(overview.recentCampaigns);
    if (state.turn++ % SEGMENTS_EVERY === 0) await refreshSegments();
    trouble(null);
  } catch (error) {
    trouble(error instanceof Refused ? error.message : "The server does not answer. Trying again…");
  }
  draw();
}

async function refreshSegments() {
  const asked = state;
  const { segments } = await execute(SEGMENTS);
  if (state !== asked || !state) return;
  state.segments = segments.nodes;
  draw();
}

function takeProgress(progress) {
  if (!state) return;
  const before = state.progress.get(progress.campaign.id)?.status;
  state.progress.set(progress.campaign.id, progress);
  state.history.record(progress);
  if (before && before !== progress.status) tell(progress);
  draw();
}

/** Shows `state`, once for all that came in since the last frame. */
function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    if (!state?.overview) return;
    const campaigns = state.overview.recentCampaigns.map((campaign) => ({ ...campaign, ...moving(campaign.id) }));
    showOverview(byId("overview"), state.overview, state.currency);
    showFirstSteps(byId("first-steps"), state.overview);
    panels.campaigns(campaigns);
    panels.outcomes(campaigns, state.history);
    if (state.segments) panels.segments(state.segments, state.overview.customers);
  });
}

function moving(id) {
  const { status, stats, messagesPerSecond, etaSeconds } = state.progress.get(id) ?? {};
  return status ? { status, stats, messagesPerSecond, etaSeconds } : {};
}

function tell({ campaign, status, stats }) {
  const figures = `${stats.delivered} delivered, ${stats.failed} failed`;
  byId("news").textContent = `${campaign.name}: ${status.toLowerCase()}. ${figures}.`;
}

function trouble(message) {
  byId("trouble").hidden = !message;
  byId("trouble").textContent = message ?? "";
}

function signedIn(user) {
  return [
    element("b", {}, user.name || user.email),
    element("span", { class: "role" }, user.role),
    element("button", { onclick: session.leave }, "Sign out"),
  ];
}
