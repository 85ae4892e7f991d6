// Runs every audit of graphql-http against an address, and prints each that does not pass as a line of JSON.
import { serverAudits } from 'graphql-http';

const [url] = process.argv.slice(2);
const audits = serverAudits({ url });
for (const audit of audits) {
  const { status, reason } = await audit.fn();
  if (status !== 'ok') console.log(JSON.stringify({ id: audit.id, name: audit.name, status, reason }));
}
console.log(JSON.stringify({ audits: audits.length }));
