/** Prints what a query returns, as a line of JSON, whenever that changes: `client.ts TOKEN CLIENT_ID QUERY ID`. */
import {Zero} from '@rocicorp/zero';
import {queries} from './queries.ts';
import {schema} from './schema.ts';

const [auth, clientId, query, id] = process.argv.slice(2) as [string, string, 'conversation' | 'person', string];
const zero = new Zero({
  cacheURL: process.env.CACHE_URL,
  userID: auth,
  auth,
  context: {clientId},
  schema,
  kvStore: 'mem',
  logLevel: 'error',
});
const show = (found: unknown, state: string) => {
  if (state === 'complete') console.log(JSON.stringify(found ?? null));
};
if (query === 'person') zero.materialize(queries.person(id)).addListener(show);
else zero.materialize(queries.conversation(id)).addListener(show);
