import {createBuilder, type Row} from '@rocicorp/zero';
import {schema, type Schema} from './schema.ts';

const query = createBuilder(schema);

export const whoIsInIt = query.conversations.where('id', 'a').one().related('people').related('clients');

export const whatTheyTalkedAbout = query.people
  .where('id', 'a')
  .related('conversations', talks => talks.where('closed_at', 'IS', null));

export const theirConversations = query.clients
  .where('client_code', 'C001')
  .related('conversations', talks => talks.where('closed_at', 'IS', null).related('messages'));

export const projectsConversations = query.projects.related('conversations', talks => talks.related('people'));

export const openOfLead = query.leads
  .where('id', 'a')
  .one()
  .related('conversations', talks => talks.where('closed_at', 'IS', null).one());

export const ofCustomer = query.customers
  .where('id', 'a')
  .one()
  .related('conversations', talks => talks.orderBy('started_at', 'desc').limit(50));

export const whoseItIs = query.conversations.where('id', 'a').one().related('lead').related('customer');

export const openArrays = (project: Row<Schema['tables']['projects']>): readonly string[] => project.conversation_ids;

export const started = (talk: Row<Schema['tables']['conversations']>): Date => new Date(talk.started_at);

// @ts-expect-error: there is no such column
export const misspelled = query.conversations.where('startedat', 1);

// @ts-expect-error: a subject may be null
export const subject = (talk: Row<Schema['tables']['conversations']>): string => talk.subject;
