import type { LockHolder } from '../datastore/lock.ts';
import { modules, namespaces } from '../models/modules.ts';
import type { SessionCounters, Sessions } from '../session/sessions.ts';
import { type Element, element } from '../xml/element.ts';
import type { DataRoot } from './get.ts';

export interface MonitoringOptions {
  readonly capabilities: readonly string[];
  readonly sessions: Pick<Sessions, 'list' | 'statistics'>;
  readonly lockHolder: () => LockHolder | undefined;
}

const { monitoring: namespace } = namespaces;

/** `/netconf-state` (RFC 6022 §2). */
export function monitoringRoot(options: MonitoringOptions): DataRoot {
  const read = () => [
    node('netconf-state', [
      node(
        'capabilities',
        options.capabilities.map((one) => node('capability', one)),
      ),
      node('datastores', [datastoreOf(options.lockHolder())]),
      node('schemas', modules.map(schemaOf)),
      node('sessions', sessionsOf(options)),
      node('statistics', statisticsOf(options)),
    ]),
  ];
  return { name: 'netconf-state', namespace, read };
}

function datastoreOf(holder: LockHolder | undefined): Element {
  const lock = holder && [
    node('locks', [
      node('global-lock', [
        node('locked-by-session', holder.sessionId),
        node('locked-time', holder.since.toISOString()),
      ]),
    ]),
  ];
  return node('datastore', [node('name', 'running'), ...(lock ?? [])]);
}

function schemaOf({ name, revision, namespace: of }: (typeof modules)[number]): Element {
  return node('schema', [
    node('identifier', name),
    node('version', revision),
    identity('format', 'yang'),
    node('namespace', of),
    node('location', 'NETCONF'),
  ]);
}

function sessionsOf({ sessions }: MonitoringOptions): Element[] {
  return sessions
    .list()
    .map(({ id, userName, address, loginTime, counters }) =>
      node('session', [
        node('session-id', id),
        identity('transport', 'netconf-tls'),
        node('username', userName),
        node('source-host', address),
        node('login-time', loginTime.toISOString()),
        ...countersOf(counters),
      ]),
    );
}

function statisticsOf({ sessions }: MonitoringOptions): Element[] {
  const all = sessions.statistics();
  return [
    node('netconf-start-time', all.startTime.toISOString()),
    counter('in-bad-hellos', all.inBadHellos),
    counter('in-sessions', all.inSessions),
    counter('dropped-sessions', all.droppedSessions),
    ...countersOf(all),
  ];
}

function countersOf({ inRpcs, inBadRpcs, outRpcErrors }: SessionCounters): Element[] {
  return [
    counter('in-rpcs', inRpcs),
    counter('in-bad-rpcs', inBadRpcs),
    counter('out-rpc-errors', outRpcErrors),
    counter('out-notifications', 0),
  ];
}

/** zero-based-counter32 goes on at 0 behind its greatest value. */
function counter(name: string, value: number): Element {
  return node(name, value % 2 ** 32);
}

/** An identity of this module, whose prefix that of the leaf is, too. */
function identity(name: string, value: string): Element {
  return element(namespace, name, value);
}

function node(name: string, content: string | number | readonly Element[]): Element {
  return element(namespace, name, typeof content === 'number' ? String(content) : content);
}
