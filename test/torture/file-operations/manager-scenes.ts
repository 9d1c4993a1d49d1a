import { mkdirSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CertError } from '../../../src/core/cert-error.ts';
import { csrParameters } from '../../fakes/manager-world.ts';
import {
  activate,
  activateAuthorities,
  give,
  inService,
  leaveOut,
  leaveRootCa,
  openFollowing,
  putSynced,
  renewed,
  replaceFromOutside,
  used,
} from './manager-acts.ts';
import { anyGenerated, type ManagerDevice, managerPaths, openManager } from './manager-device.ts';
import { type Place, type Scene, type State, scene } from './scene.ts';

type Act = (device: ManagerDevice, place: Place) => Promise<unknown>;

/** One call of a device that has everything. */
function change(name: string, act: Act, more: Partial<Scene<ManagerDevice>> = {}): Scene {
  return scene<ManagerDevice>({
    name,
    async prepare(place) {
      await used(place);
      return {};
    },
    open: openManager,
    async act(device, place, begin) {
      begin();
      await act(device, place);
    },
    ...more,
  });
}

/** One call of a device that was never used. */
function first(name: string, act: Act): Scene {
  return change(name, act, {
    prepare: async (place) => {
      await (await openManager(place)).close();
      return {};
    },
  });
}

/** The certificate for a request that waits. */
function answer(endpoint: 'server' | 'client'): Scene {
  return change(
    `${endpoint}: install the certificate of a request`,
    async (device, { given }) => {
      if (endpoint === 'server') await device.server.replace('1', give(given, 'signed'));
      else await device.client.install(give(given, 'signed'));
    },
    {
      async prepare(place) {
        const device = await openManager(place);
        const parameters = csrParameters({ CommonName: 'answered' });
        const request = await device[endpoint].requests.make(parameters);
        await device.close();
        return { request };
      },
    },
  );
}

/** A start on what another manager, or nobody, has left, or on what is made of it by `more`. */
function start(
  name: string,
  files: Readonly<Record<string, string>>,
  loosely: (state: State) => State,
  more: (place: Place) => Promise<void> = async () => undefined,
): Scene {
  return scene<ManagerDevice>({
    name,
    isStart: true,
    async prepare(place) {
      const { directory, given } = place;
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(directory, path)), { recursive: true, mode: 0o755 });
        writeFileSync(join(directory, path), given[text] ?? text, { mode: 0o644 });
      }
      await more(place);
      return {};
    },
    open: openManager,
    act: async () => undefined,
    loosely,
  });
}

/** Numbers that were reserved before the cut and never told to anybody are skipped. */
function anyNumbers(state: State): State {
  const trust = Array.isArray(state.trust) ? state.trust : [];
  return { ...anyGenerated(state), trust: trust.map((one) => one.replace(/^\d+ /, '')).sort() };
}

export const managerScenes: readonly Scene[] = [
  start('the first start of all', {}, anyGenerated),
  start(
    'a start on a certificate that is damaged',
    { [managerPaths.server]: 'no PEM' },
    anyGenerated,
  ),
  start(
    'the first start on an upstream installation',
    {
      [managerPaths.server]: 'pair1',
      'https/privkey.pem': 'waitingKey',
      'https/domain.csr': 'waitingRequest',
      'https/.rsaprivkey.pem': 'rsaKey',
      [managerPaths.client]: 'pair2',
      'authority/3f2a.pem': 'ca1',
      'authority/9c01.pem': 'ca2',
      'authority/trust_bundle': 'ca1',
      'Root-CA.pem': 'ca3',
    },
    anyNumbers,
  ),
  start(
    'a start on an installation in use with the root certificate of an earlier one',
    {},
    anyNumbers,
    async (place) => {
      await used(place);
      leaveRootCa(place);
    },
  ),
  start('a start on a truststore with a damaged authority', {}, anyNumbers, async (place) => {
    await used(place);
    writeFileSync(join(place.directory, managerPaths.truststore, '1.pem'), 'no PEM');
  }),
  start(
    'a start on a truststore with links and bundle out of step',
    {},
    anyNumbers,
    async (place) => {
      await used(place);
      const truststore = join(place.directory, managerPaths.truststore);
      const [link] = readdirSync(truststore).filter((name) => name.endsWith('.0'));
      rmSync(join(truststore, link ?? ''));
      writeFileSync(join(truststore, 'trust_bundle'), give(place.given, 'ca2'));
    },
  ),
  start(
    'a start on a staged replacement that nobody kept or undid',
    {},
    anyNumbers,
    async (place) => {
      const device = await openManager(place);
      await inService(device, place);
      await activate(device, place);
      await device.close();
    },
  ),
  {
    ...start(
      'a start when its own certificate is about to end',
      {},
      anyGenerated,
      async (place) => {
        await (await openManager(place)).close();
      },
    ),
    open: (place) => openManager(place, undefined, 380),
  },
  change('server: take over what another program put in its place', replaceFromOutside, {
    open: openFollowing,
    isDoneLater: true,
  }),
  change('server: replace', ({ server }, { given }) => server.replace('1', give(given, 'pair3'))),
  change('server: delete', ({ server }) => server.delete('1'), { loosely: anyGenerated }),
  change('client: replace', ({ client }, { given }) => client.replace('1', give(given, 'pair3'))),
  change('client: delete', ({ client }) => client.delete('1')),
  first('client: install', ({ client }, { given }) => client.install(give(given, 'pair3'))),
  answer('server'),
  answer('client'),
  change('server: make a request', ({ server }) =>
    server.requests.make(csrParameters({ CommonName: 'new' })),
  ),
  first('client: make the first request', ({ client }) =>
    client.requests.make(csrParameters({ CommonName: 'new' })),
  ),
  change(
    'server: make a request when there are as many as may be',
    ({ server }) => server.requests.make(csrParameters({ CommonName: 'new' })),
    {
      async prepare(place) {
        const device = await openManager(place);
        for (const name of ['a', 'b', 'c'])
          await device.server.requests.make(csrParameters({ CommonName: name }));
        await device.close();
        return {};
      },
      isDoneLater: true,
    },
  ),
  change('server: make a request for the key in service', ({ server }) =>
    server.requests.renew(''),
  ),
  change(
    'server: make a request for the key in service again',
    ({ server }) => server.requests.renew(''),
    {
      async prepare(place) {
        await renewed(place);
        return {};
      },
    },
  ),
  change('all: the look now and then', (device) => device.maintain()),
  change('server: discard a request', async ({ server }) => {
    const [one] = await server.requests.outstanding();
    if (!one) throw new CertError('storage', 'the request cannot be read');
    await server.requests.discard(one.id);
  }),
  change('truststore: install', ({ truststore }, { given }) =>
    truststore.install(give(given, 'ca3')),
  ),
  first('truststore: install the first', ({ truststore }, { given }) =>
    truststore.install(give(given, 'ca3')),
  ),
  change('truststore: replace', ({ truststore }, { given }) =>
    truststore.replace('1', give(given, 'ca4')),
  ),
  change('truststore: delete one of two with the same subject', ({ truststore }) =>
    truststore.delete('1'),
  ),
  change(
    'truststore: delete what the start took over',
    ({ truststore }) => truststore.delete('4'),
    {
      async prepare(place) {
        await used(place);
        leaveRootCa(place);
        return {};
      },
      loosely: anyNumbers,
    },
  ),
  change('truststore: delete the newest', ({ truststore }) => truststore.delete('3')),
  first('truststore: install all', ({ truststore }, { given }) =>
    truststore.installAll(give(given, 'ca1') + give(given, 'twin') + give(given, 'ca3')),
  ),
  change('truststore: replace all', ({ truststore }, { given }) =>
    truststore.replaceAll(give(given, 'ca1') + give(given, 'ca3') + give(given, 'ca4')),
  ),
  change('truststore: delete all', ({ truststore }) => truststore.deleteAll()),
  change('truststore: install beside what another program put there', leaveOut, {
    async act(device, place, begin) {
      // What is recorded has no name for the way over a link
      const truststore = realpathSync(device.truststore.definition.path);
      putSynced(join(truststore, 'company.crt'), give(place.given, 'ca4'));
      begin();
      await leaveOut(device, place);
    },
    leftOver: ['authority.generations/N/company.crt'],
  }),
  change('two phases: stage, activate and undo', async (device, place) => {
    await device.replacements.rollback(device.owner, await activate(device, place));
  }),
  change('two phases: stage, activate and keep', activate, {
    async act(device, place, begin) {
      const replacement = await activate(device, place);
      begin();
      await device.replacements.commit(device.owner, replacement);
    },
  }),
  change('two phases: undo authorities alone', async (device, place) => {
    await device.replacements.rollback(device.owner, await activateAuthorities(device, place));
  }),
  change('two phases: keep authorities alone', activateAuthorities, {
    async act(device, place, begin) {
      const replacement = await activateAuthorities(device, place);
      begin();
      await device.replacements.commit(device.owner, replacement);
    },
  }),
];
