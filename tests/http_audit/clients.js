// What the official clients of WebSocket and of event streams see of an endpoint, as one JSON object.
import { createClient as createStreamClient } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url] = process.argv.slice(2);

// All answers of an operation, or what it failed with.
async function answers(client, query) {
  const got = [];
  try {
    for await (const { data, errors } of client.iterate({ query })) {
      got.push(errors ? errors.map((error) => error.extensions.code) : data);
    }
  } catch (failure) {
    got.push(Array.isArray(failure) ? failure.map((error) => error.extensions.code) : { closed: failure.code });
  }
  return got;
}

async function firstAnswer(client, query) {
  for await (const { data } of client.iterate({ query })) return data; // and leaves, which completes it
}

function socketClient(token) {
  const webSocketImpl = WebSocket;
  const connectionParams = { authorization: `Bearer ${token}` };
  return createSocketClient({ url: url.replace('http', 'ws'), webSocketImpl, connectionParams, retryAttempts: 0, lazy: true });
}

const socket = socketClient('ann');
const stream = createStreamClient({ url, headers: { authorization: 'Bearer ann' }, retryAttempts: 0 });
const seen = {};
for (const [name, client] of Object.entries({ socket, stream })) {
  seen[name] = {
    query: await answers(client, '{ who }'),
    mutation: await answers(client, 'mutation { act }'),
    subscription: await answers(client, 'subscription { count(to: 2) }'),
    left: await firstAnswer(client, 'subscription { endless }'),
    invalid: await answers(client, '{ nothing }'),
    broken: await answers(client, 'subscription { fails }'),
  };
}
seen.forbidden = await answers(socketClient('bad'), '{ who }');
console.log(JSON.stringify(seen));
await socket.dispose();
stream.dispose();
