/**
 * Runs the audit suite of `graphql-http` against the API at argv[2] with the token argv[3], and prints one JSON
 * object per audit: {id, name, status}. `status` is ok, notice, warn or error.
 */
import { serverAudits } from "graphql-http";

const [, , url, token] = process.argv;
const fetchFn = (address, init = {}) =>
  fetch(address, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } });

for (const audit of serverAudits({ url, fetchFn })) {
  const result = await audit.fn();
  process.stdout.write(`${JSON.stringify({ id: audit.id, name: audit.name, status: result.status })}\n`);
}
