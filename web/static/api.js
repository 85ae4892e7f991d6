/** The public API as the signed-in user: what the console asks and watches goes through here. */

import * as session from "./session.js";
import { connect } from "./socket.js";
import { post } from "./wire.js";

let client = null;
session.onChange(() =>
  client?.then(
    (connected) => connected.terminate(),
    () => {},
  ),
); // the next one says who it is now

/** The API refused the operation as a whole, in words meant for the user. */
export class Refused extends Error {}

/** The data of one operation; raises Refused, or Unreachable. */
export async function execute(query, variables = {}) {
  const { data, errors } = await post(query, variables, await session.authorization());
  if (!errors) return data;
  if (errors.some(({ extensions }) => extensions?.code === "UNAUTHENTICATED")) session.lapse();
  throw new Refused(errors.map(({ message }) => message).join(" "));
}

/** Calls `next` with the data of every event, and `ended` once, however it ends; gives the function that stops it. */
export function watch(query, variables, next, ended) {
  let stop = null;
  let stopped = false;
  const finish = () => stopped || ended();
  client ??= connect(session.authorization);
  client.then(
    (connected) => {
      if (stopped) return;
      stop = connected.subscribe(
        { query, variables },
        { next: ({ data }) => data && next(data), error: finish, complete: finish },
      );
    },
    () => {
      client = null; // the library could not be loaded; a later attempt may be luckier
      finish();
    },
  );
  return () => {
    stopped = true;
    stop?.();
  };
}
