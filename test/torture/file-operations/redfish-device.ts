import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Audit } from '../../../src/core/audit.ts';
import type { Log } from '../../../src/core/log.ts';
import type { Accounts } from '../../../src/identity/accounts/accounts.ts';
import { guardSystemUsers } from '../../../src/identity/configured-users.ts';
import { type Configuration, parseConfiguration } from '../../../src/platform/configuration.ts';
import type { SystemUser, SystemUsers } from '../../../src/platform/system-users.ts';
import type { Access } from '../../../src/redfish/access.ts';
import { systemClock } from '../../../src/redfish/events/event-clock.ts';
import type { EventSettings } from '../../../src/redfish/events/event-settings.ts';
import { type EventState, openEventState } from '../../../src/redfish/events/event-state.ts';
import { EventStreams } from '../../../src/redfish/events/event-streams.ts';
import { listenerLogins } from '../../../src/redfish/events/listeners.ts';
import { PushSubscriptions } from '../../../src/redfish/events/push-subscriptions.ts';
import { SubscriberAuthorization } from '../../../src/redfish/events/subscriber-authorization.ts';
import { type ReadyAccess, setUpAccess } from '../../../src/redfish/set-up/access.ts';
import { removeStaleTempFiles } from '../../../src/redfish/set-up/remove-stale-temp-files.ts';
import { readStateText, type StateFile } from '../../../src/storage/state-file.ts';
import { removeTempFiles } from '../../../src/storage/temp-files.ts';
import { accountsAt, guarded } from '../../fakes/accounts.ts';
import { MemoryClient } from '../../fakes/memory-client.ts';
import type { Device, Place, State } from './scene.ts';

/** Everything that the Redfish service keeps, set up as the daemon does. */
export interface RedfishDevice extends Device {
  readonly access: ReadyAccess['access'];
  readonly accounts: Accounts;
  readonly events: StateFile<EventState>;
  readonly rights: SubscriberAuthorization;
}

const silent = () => undefined;
const log: Log = { debug: silent, info: silent, warn: silent, error: silent };
const now = Date.UTC(2026, 5, 1);

/** Where the users are: in the file of the service, or in the system, which has the same ones. */
type Users = 'file' | 'bus';

export const openRedfish = (place: Place): Promise<RedfishDevice> => open(place, 'file');

export const openWithSystemUsers = (place: Place): Promise<RedfishDevice> => open(place, 'bus');

async function open({ directory }: Place, whose: Users): Promise<RedfishDevice> {
  const configuration = configurationOf(directory, whose);
  await removeStaleTempFiles(directory, log);
  const path = join(directory, 'accounts.json');
  await removeTempFiles(path);
  const accounts = accountsAt(path);
  const audit = new Audit(log);
  const users =
    whose === 'file'
      ? guarded(accounts, { audit })
      : guardSystemUsers(configuration, systemUsers, audit, log);
  const { access, settle, close } = setUpAccess({
    ...{ configuration, client: new MemoryClient(), users, audit, log },
    hostName: () => 'bmc.example.com',
  });
  const openFiles = async () => {
    await settle();
    const events = await openEventState(join(directory, 'events.json'), { log, now });
    const rights = rightsOf(access, events, configuration.redfish.events);
    await rights.reviewAll();
    await access.renames.complete();
    return { events, rights };
  };
  const { events, rights } = await openFiles().catch(async (error: unknown) => {
    // A start that fails ends the program, and with it what looks after the files now and then
    await close();
    throw error;
  });
  return {
    access,
    accounts,
    events,
    rights,
    async state(): Promise<State> {
      const users = await access.users.list();
      const stored = accountsAt(path);
      if (whose === 'file') {
        for (const { userName, role } of users) {
          const file = await stored.find(userName);
          assert.equal(file?.role, role, 'memory and disk have different accounts');
        }
        assert.equal(stored.users.length, users.length);
      }
      for (const name of stateFiles) checkFile(join(directory, name));
      // What users who are gone had is looked for now and then
      const isThere = (name: string) => users.some(({ userName }) => userName === name);
      return {
        accounts: stored.users.map((one) => JSON.stringify(one)),
        policy: JSON.stringify([stored.rules, access.settings.policy]),
        clientCertificates: JSON.stringify(access.settings.clientCertificates),
        certificates: (access.accountCertificates?.all ?? [])
          .filter(({ userName }) => isThere(userName))
          .map(({ id, userName }) => `${id} of ${userName}`),
        sessions: access.sessions
          .list()
          .filter(({ userName }) => isThere(userName))
          .map(({ id, userName }) => `${id} of ${userName}`),
        subscriptions: events.value.subscriptions
          .filter(({ owner }) => isThere(owner))
          .map(({ id, owner }) => `${id} of ${owner}`),
        enabled: String(events.value.enabled),
        whoseUsers: readStateText(join(directory, 'users-source')) ?? 'nobody said',
      };
    },
    maintain: async () => {
      await settle();
      await access.sessions.ended();
    },
    // Sessions are written at the end too, which a cut leaves no time for
    close: async () => {
      await close();
      await events.settled();
    },
  };
}

/** As the event service has them, but that nobody is sent anything. */
function rightsOf(
  access: Access,
  file: StateFile<EventState>,
  settings: EventSettings,
): SubscriberAuthorization {
  // Nothing but what a scene does may happen by itself
  const clock = { ...systemClock, every: () => silent };
  const logins = listenerLogins(access);
  const subscriptions = new PushSubscriptions({
    ...{ file, settings, log, clock, random: Math.random, send: async () => undefined },
  });
  const streams = new EventStreams({ clock, log, logins, settings });
  const rights = new SubscriberAuthorization({ streams, subscriptions, logins, log });
  logins.onRename((from, to) => rights.rename(from, to));
  return rights;
}

const stateFiles = ['accounts.json', 'sessions.json', 'events.json', 'account-certificates.json'];

/** Hashes and secret headers are for the owner only. */
function checkFile(path: string): void {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode;
  if (mode === undefined) return;
  assert.equal(mode & 0o077, 0);
  assert.notEqual(readFileSync(path, 'utf8'), '');
}

function configurationOf(directory: string, source: Users): Configuration {
  const users = { source, passwordHelper: '/bin/false' };
  return parseConfiguration(JSON.stringify({ redfish: { directory }, users }), 'of a scene');
}

/** What the system has, where its users count. */
const systemUsers: SystemUsers = {
  isThere: true,
  list: async () => ['admin', 'operator'].map(userOf),
  find: async (userName) => userOf(userName),
  create: async () => undefined,
  set: async () => undefined,
  rename: async () => undefined,
  remove: async () => undefined,
  policy: async () => ({ lockoutThreshold: 0, lockoutSeconds: 0, minPasswordLength: 8 }),
  setPolicy: async () => undefined,
};

function userOf(name: string): SystemUser {
  const privilege = name === 'admin' ? 'priv-admin' : 'priv-operator';
  const states = { enabled: true, locked: false, passwordExpired: false, remote: false };
  return { name, privilege, groups: ['redfish'], ...states };
}
