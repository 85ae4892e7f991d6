/** Subscriptions over WebSocket (graphql-transport-ws), by the graphql-ws client. */

import { LIBRARIES, load } from "./libraries.js";
import { ENDPOINT } from "./wire.js";

/**
 * A client whose connection opens with its first subscription and closes after its last; `authorization` is asked
 * for a fresh header at every connection, so that a socket closed when its token expired comes back with a new one.
 */
export async function connect(authorization) {
  if (!window.graphqlWs) await load(LIBRARIES.graphqlWs);
  return window.graphqlWs.createClient({
    url: new URL(ENDPOINT, location.href.replace(/^http/, "ws")).href,
    connectionParams: async () => {
      const value = await authorization();
      return value ? { authorization: value } : {};
    },
  });
}
