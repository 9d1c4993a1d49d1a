import { join } from 'node:path';
import type { User } from '../../../src/identity/accounts/user-directory.ts';
import type { EventState } from '../../../src/redfish/events/event-state.ts';
import { createUser, removeUser, renameUser } from '../../../src/redfish/resources/account-life.ts';
import { accountsAt } from '../../fakes/accounts.ts';
import { certificateOf } from '../../fakes/openssl-authority.ts';
import { subscriptionMembers } from '../../redfish/events/subscription-members.ts';
import { openRedfish, openWithSystemUsers, type RedfishDevice } from './redfish-device.ts';
import { type Place, type Scene, type State, scene } from './scene.ts';

type Act = (device: RedfishDevice, place: Place) => Promise<unknown>;

/** Two accounts, one with a certificate, a session of each, settings and a subscription. */
async function used(place: Place): Promise<void> {
  const accounts = accountsAt(join(place.directory, 'accounts.json'));
  await accounts.setPassword('admin', 'Administrator', 'first Password 1');
  await accounts.setPassword('operator', 'Operator', 'other Password 1');
  const device = await openRedfish(place);
  const { access, events } = device;
  for (const userName of ['admin', 'operator'])
    access.sessions.create({ userName, address: '192.0.2.1' });
  await access.accountCertificates?.add(
    'operator',
    certificateOf(place.given.pair1 ?? ''),
    async () => true,
  );
  await device.accounts.policy.change({ lockoutThreshold: 7 });
  await events.change(withSubscription('0123456789abcdef'));
  await device.close();
}

async function usedWithSubscription(place: Place) {
  await used(place);
  const device = await openRedfish(place);
  await device.events.change(withSubscription('00112233445566ff', 'operator'));
  await device.close();
  return {};
}

function withSubscription(id: string, owner = 'admin') {
  const subscription: EventState['subscriptions'][number] = {
    id,
    owner,
    members: subscriptionMembers({
      DeliveryRetryPolicy: 'RetryForever',
      HttpHeaders: [{ 'X-Token': 'secret' }],
    }),
    state: 'active',
  };
  return (state: EventState): EventState => ({
    ...state,
    subscriptions: [...state.subscriptions, subscription],
  });
}

function change(name: string, act: Act, more: Partial<Scene<RedfishDevice>> = {}): Scene {
  return scene<RedfishDevice>({
    name: `service: ${name}`,
    async prepare(place) {
      await used(place);
      return {};
    },
    open: openRedfish,
    async act(device, place, begin) {
      begin();
      await act(device, place);
    },
    ...more,
  });
}

function createReader({ access, rights }: RedfishDevice): Promise<User> {
  return createUser(access, rights, {
    userName: 'reader',
    password: 'reader Password 1',
    role: 'ReadOnly',
    enabled: true,
    passwordChangeRequired: false,
  });
}

/** Ways to come in and to listen of somebody whose account is not there, on the disk as well. */
async function leftBehind({ access, events }: RedfishDevice, { given }: Place): Promise<void> {
  const userName = 'reader';
  const certificate = certificateOf(given.pair2 ?? '');
  if (access.accountCertificates?.of(userName).length === 0) {
    await access.accountCertificates.add(userName, certificate, async () => true);
  }
  access.sessions.create({ userName, address: '192.0.2.8' });
  await access.sessions.ended();
  if (events.value.subscriptions.some(({ owner }) => owner === userName)) return;
  await events.change(withSubscription('00112233445566ff', userName));
}

function anySession(state: State): State {
  const sessions = Array.isArray(state.sessions) ? state.sessions : [];
  return { ...state, sessions: sessions.map((one) => one.replace(/^.* of /, '')) };
}

export const redfishScenes: readonly Scene[] = [
  scene<RedfishDevice>({
    name: 'service: the first start of all',
    isStart: true,
    prepare: async () => ({}),
    open: openRedfish,
    act: async () => undefined,
  }),
  scene<RedfishDevice>({
    name: 'service: a start when other users count than before',
    isStart: true,
    async prepare(place) {
      await used(place);
      return {};
    },
    open: openWithSystemUsers,
    act: async () => undefined,
    untilNextStart: (state) => ({ ...state, subscriptions: [] }),
  }),
  change('make an account', createReader),
  change('change a role', ({ access }) =>
    access.users.changes.update('operator', { role: 'ReadOnly' }),
  ),
  change('change a password', ({ access }) =>
    access.users.changes.update('admin', { password: 'second Password 1' }),
  ),
  change('remove an account', ({ access }) => access.users.changes.remove('operator')),
  change(
    'delete an account with its certificate, session and subscription',
    ({ access, rights }) => removeUser(access, rights, undefined, 'operator'),
    { prepare: usedWithSubscription },
  ),
  change(
    'rename an account with its certificate, session and subscription',
    ({ access, rights }) =>
      renameUser(access, rights, undefined, { name: 'night-shift', isOwn: false }, () =>
        access.users.changes.update('operator', { userName: 'night-shift' }),
      ),
    // Subscriptions follow when the disk takes them, which is tried again; power-cut/renamed.test.ts has them in the end
    { prepare: usedWithSubscription, loosely: (state) => ({ ...state, subscriptions: [] }) },
  ),
  change('make an account whose name somebody had before', createReader, {
    async act(device, place, begin) {
      await leftBehind(device, place);
      begin();
      await createReader(device);
    },
  }),
  change(
    'log in',
    async ({ access }) => {
      access.sessions.create({ userName: 'admin', address: '192.0.2.7' });
      await access.sessions.ended();
    },
    { isDoneLater: true, loosely: anySession },
  ),
  change(
    'end a session',
    async ({ access }) => {
      const session = access.sessions.list().find(({ userName }) => userName === 'operator');
      if (session) access.sessions.end(session.id);
      await access.sessions.ended();
    },
    { isDoneLater: true },
  ),
  change('change the rules of accounts', ({ access }) =>
    access.users.policy.change({ lockoutThreshold: 3, minPasswordLength: 12 }),
  ),
  change('change the login with certificates and the rules together', ({ access }) =>
    access.settings.change(({ clientCertificates }) => ({
      clientCertificates: { ...clientCertificates, enabled: false },
      basicAuth: 'Disabled',
    })),
  ),
  change('give an account a certificate', async ({ access }, { given }) =>
    access.accountCertificates?.add('admin', certificateOf(given.pair2 ?? ''), async () => true),
  ),
  change('take a certificate from an account', async ({ access }) =>
    access.accountCertificates?.remove(({ userName }) => userName === 'operator'),
  ),
  change('subscribe to events', ({ events }) =>
    events.change(withSubscription('fedcba9876543210')),
  ),
  change('end a subscription to events', ({ events }) =>
    events.change((state) => ({ ...state, subscriptions: [] })),
  ),
];
