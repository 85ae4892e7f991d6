/**
 * Who is signed in, for this tab: the tokens live in sessionStorage and go with it.
 *
 * An access token that is about to expire is exchanged before it is used, once, however many requests are waiting.
 */

import { post } from "./wire.js";

const KEY = "campaign-engine.session";
const MARGIN_MILLISECONDS = 30_000;
const GRANT = "accessToken refreshToken expiresAt user { id email name role } userErrors { field message }";
const OPERATIONS = {
  login: `mutation Login($input: LoginInput!) { grant: login(input: $input) { ${GRANT} } }`,
  register: `mutation Register($input: RegisterInput!) { grant: register(input: $input) { ${GRANT} } }`,
  refresh: `mutation Refresh($token: String!) { grant: refreshSession(refreshToken: $token) { ${GRANT} } }`,
  logout: "mutation Logout { logout }",
};

const changes = new EventTarget();
let refreshing = null;

/** Calls back now and whenever somebody signs in or out, with the user or null, and the reason if the session broke. */
export function onChange(callback) {
  changes.addEventListener("change", (event) => callback(user(), event.detail));
  callback(user(), null);
}

/** The signed-in user, or null. */
export function user() {
  return stored()?.user ?? null;
}

/** Signs in; gives the faults `[{field, message}]`, none of them when it worked. */
export function login(input) {
  return enter(OPERATIONS.login, input);
}

/** Makes an account and signs in with it; gives the faults as `login` does. */
export function register(input) {
  return enter(OPERATIONS.register, input);
}

/** Takes over a grant of tokens that came by another way. */
export function adopt({ accessToken, refreshToken, expiresAt, user }) {
  store({ accessToken, refreshToken, expiresAt, user });
}

/** Signs out, here and on the server. */
export async function leave() {
  const authorized = await authorization();
  store(null);
  if (authorized) await post(OPERATIONS.logout, {}, authorized).catch(() => {}); // it expires by itself in any case
}

/** The session has turned out to be over: forgets it, and tells why. */
export function lapse() {
  if (stored()) store(null, "Your session has ended. Please sign in again.");
}

/** The value of the Authorization header, of a token that is still good for a while; null when nobody is signed in. */
export async function authorization() {
  const session = stored();
  if (!session) return null;
  const left = session.expiresAt ? Date.parse(session.expiresAt) - Date.now() : Infinity;
  if (left < MARGIN_MILLISECONDS && session.refreshToken) {
    refreshing ??= refresh(session.refreshToken).finally(() => (refreshing = null));
    await refreshing;
  }
  const token = stored()?.accessToken;
  return token ? `Bearer ${token}` : null;
}

async function enter(operation, input) {
  const reply = await post(operation, { input }, null);
  if (reply.errors) return reply.errors.map(({ message }) => ({ field: null, message }));
  const { userErrors, ...grant } = reply.data.grant;
  if (userErrors.length === 0) store(grant);
  return userErrors;
}

async function refresh(token) {
  const reply = await post(OPERATIONS.refresh, { token }, null);
  const grant = reply.data?.grant;
  if (grant?.accessToken) store({ ...stored(), ...grant, user: grant.user ?? user() }, null, { quietly: true });
  else lapse();
}

function stored() {
  return JSON.parse(sessionStorage.getItem(KEY));
}

function store(session, reason = null, { quietly = false } = {}) {
  if (session) sessionStorage.setItem(KEY, JSON.stringify(session));
  else sessionStorage.removeItem(KEY);
  if (!quietly) changes.dispatchEvent(new CustomEvent("change", { detail: reason }));
}
