/** Says what a query means for whoever asks: SESSIONS maps their token to their client. Refuses mutations. */
import {mustGetQuery} from '@rocicorp/zero';
import {handleQueryRequest} from '@rocicorp/zero/server';
import {createServer} from 'node:http';
import {json} from 'node:stream/consumers';
import {queries} from './queries.ts';
import {schema} from './schema.ts';

const sessions: Record<string, string> = JSON.parse(process.env.SESSIONS!);

createServer(async (request, response) => {
  const userID = request.headers.authorization?.replace(/^Bearer /, '') ?? '';
  const clientId = sessions[userID];
  if (clientId === undefined || !request.url!.startsWith('/query')) {
    response.writeHead(401).end();
    return;
  }
  const answer = await handleQueryRequest({
    handler: (name, args) => mustGetQuery(queries, name).fn({args: args as string, ctx: {clientId}}),
    schema,
    userID,
    query: {},
    body: (await json(request)) as never,
  });
  response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
}).listen(Number(process.env.PORT), '127.0.0.1');
