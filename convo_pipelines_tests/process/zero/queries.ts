import {createBuilder, defineQueries, defineQuery} from '@rocicorp/zero';
import {schema, type Schema} from './schema.ts';

/** Whose user asks: on the server from the session, never from the browser. */
export type Context = {clientId: string};

declare module '@rocicorp/zero' {
  interface DefaultTypes {
    schema: Schema;
    context: Context;
  }
}

const zql = createBuilder(schema);

const conversationsOf = ({clientId}: Context) => zql.conversations.whereExists('clients', of => of.where('id', clientId));

export const queries = defineQueries({
  conversation: defineQuery(({args: id, ctx}: {args: string; ctx: Context}) =>
    conversationsOf(ctx).where('id', id).one().related('people', who => who.where('client_id', ctx.clientId)),
  ),
  person: defineQuery(({args: id, ctx}: {args: string; ctx: Context}) =>
    zql.people.where('client_id', ctx.clientId).where('id', id).one().related('conversations'),
  ),
});
