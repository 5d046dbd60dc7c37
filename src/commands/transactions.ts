import { allKeys, commandGroup } from './spec.ts';
import type { CommandSpec } from './types.ts';

const { onKeys, onSession } = commandGroup('transactions');

export const transactionCommands: readonly CommandSpec[] = [
  onSession(
    'multi',
    [
      1,
      ['noscript', 'loading', 'stale', 'fast'],
      '1.2.0',
      'O(1)',
      '',
      'Begins a transaction: what follows is queued until EXEC.',
    ],
    ({ session, reply }) => {
      if (session.inTransaction) {
        reply.error('ERR MULTI calls can not be nested');
        return;
      }
      session.beginTransaction();
      reply.ok();
    },
  ),
  onSession(
    'exec',
    [
      1,
      ['noscript', 'loading', 'stale'],
      '1.2.0',
      'Depends on the commands that were queued.',
      '',
      'Runs what was queued, as one entry of the log.',
    ],
    ({ session, reply }) => {
      if (session.inTransaction) session.executeTransaction();
      else reply.error('ERR EXEC without MULTI');
    },
  ),
  onSession(
    'discard',
    [
      1,
      ['noscript', 'loading', 'stale', 'fast'],
      '2.0.0',
      'O(N) with N commands queued',
      '',
      'Drops what was queued.',
    ],
    ({ session, reply }) => {
      if (!session.inTransaction) {
        reply.error('ERR DISCARD without MULTI');
        return;
      }
      session.discardTransaction();
      reply.ok();
    },
  ),
  onKeys(
    'watch',
    allKeys,
    [
      -2,
      ['noscript', 'loading', 'stale', 'fast'],
      '2.2.0',
      'O(1) for every key',
      'key [key ...]',
      'Makes the next EXEC do nothing when one of the keys changes before it.',
    ],
    ({ session, reply }, args) => {
      if (session.inTransaction) {
        reply.error('ERR WATCH inside MULTI is not allowed');
        return;
      }
      session.watch(args.slice(1));
      reply.ok();
    },
  ),
  onSession(
    'unwatch',
    [1, ['noscript', 'loading', 'stale', 'fast'], '2.2.0', 'O(1)', '', 'Forgets what was watched.'],
    ({ session, reply }) => {
      session.unwatch();
      reply.ok();
    },
  ),
];
