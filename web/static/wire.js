/** GraphQL over HTTP: one operation out, one reply in. */

export const ENDPOINT = "/graphql";
const TIMEOUT_MILLISECONDS = 35_000; // the server itself gives up on an operation after 30 s

/** The server did not answer, or not in GraphQL. */
export class Unreachable extends Error {}

/** The reply `{data, errors}` to one operation, whatever it says. */
export async function post(query, variables, authorization) {
  const headers = { "content-type": "application/json", accept: "application/graphql-response+json, application/json" };
  if (authorization) headers.authorization = authorization;
  const body = JSON.stringify({ query, variables });
  const signal = AbortSignal.timeout(TIMEOUT_MILLISECONDS);
  try {
    const response = await fetch(ENDPOINT, { method: "POST", headers, body, signal });
    return await response.json();
  } catch (cause) {
    throw new Unreachable("The server does not answer.", { cause });
  }
}
