/**
 * What stands between GraphiQL and the server: signs requests as the signed-in user, unless the Headers tab says
 * otherwise, and carries ids from one reply to the next request.
 */

import * as session from "../session.js";
import { connect } from "../socket.js";
import { ENDPOINT } from "../wire.js";
import { fillIn, remember } from "./memory.js";

/** A GraphiQL fetcher; the libraries must have been loaded. */
export async function createFetcher() {
  let typed = null; // the Authorization of the Headers tab, as of the last request
  const socket = await connect(async () => typed ?? (await session.authorization()));
  session.onChange(() => socket.terminate()); // a subscription that is open goes on as whoever is signed in now
  const fetcher = window.GraphiQL.createFetcher({ url: ENDPOINT, fetch: signedFetch, wsClient: socket });
  return (parameters, options = {}) => {
    const before = typed;
    typed = new Headers(options.headers ?? {}).get("authorization");
    if (typed !== before) socket.terminate();
    return fetcher(fillIn(withItsOperation(parameters), options.documentAST), options);
  };
}

/** Just after another tab was chosen, GraphiQL still names the operation of the tab before. */
function withItsOperation({ operationName, ...parameters }) {
  const isThere = operationName && new RegExp(`\\b${operationName}\\b`).test(parameters.query);
  return isThere ? { ...parameters, operationName } : parameters;
}

async function signedFetch(url, options) {
  const headers = new Headers(options.headers);
  const own = !headers.has("authorization");
  const authorization = own && (await session.authorization());
  if (authorization) headers.set("authorization", authorization);
  const response = await fetch(url, { ...options, headers });
  const reply = await response
    .clone()
    .json()
    .catch(() => ({}));
  learn(reply, authorization);
  return response;
}

function learn({ data, errors }, signed) {
  if (signed && errors?.some(({ extensions }) => extensions?.code === "UNAUTHENTICATED")) session.lapse();
  for (const payload of Object.values(data ?? {})) {
    remember(payload);
    if (!session.user() && payload?.accessToken && payload.refreshToken && payload.user) session.adopt(payload);
  }
}
