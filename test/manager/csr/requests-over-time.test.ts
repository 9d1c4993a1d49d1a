import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, afterEach, describe, it } from 'node:test';
import { CredentialEndpoint } from '../../../src/manager/credential/credential-endpoint.ts';
import {
  csrParameters,
  makeWorld,
  type World,
  type WorldOptions,
} from '../../fakes/manager-world.ts';
import { certificateOf, opensslAuthority } from '../../fakes/openssl-authority.ts';

const tools = opensslAuthority();
after(() => tools.remove());
const root = tools.issueCa();
const day = 86_400_000;

let world: World;
afterEach(() => world.remove());

function make(options: WorldOptions = {}): Promise<CredentialEndpoint> {
  world = makeWorld(options);
  return again();
}

async function again(): Promise<CredentialEndpoint> {
  const path = join(world.directory, 'https', 'server.pem');
  const definition = { type: 'server', name: 'https', path, reload: [] } as const;
  const endpoint = new CredentialEndpoint(definition, world.dependencies);
  await endpoint.start();
  return endpoint;
}

/** Lets time go by, and the clock as much unless it is set. */
async function pass(endpoint: CredentialEndpoint, milliseconds: number, clock = milliseconds) {
  world.elapsed += milliseconds;
  world.now = new Date(world.now.getTime() + clock);
  await endpoint.maintain();
}

const request = (endpoint: CredentialEndpoint, CommonName: string) =>
  endpoint.requests.make(csrParameters({ CommonName }));

const waiting = async (endpoint: CredentialEndpoint) =>
  (await endpoint.requests.outstanding()).map(({ pem }) => pem);

describe('a request on a device without a clock of its own', () => {
  const pending = { requests: 10, days: 90 };

  for (const restarts of [false, true]) {
    const then = restarts ? ', also by the next manager' : '';
    it(`is as old as it is, whatever the clock was set by after it was made${then}`, async () => {
      let endpoint = await make({ limits: { pending } });
      // systemd begins with the time of its build
      world.now = new Date('2026-01-15T00:00:00Z');
      await request(endpoint, 'fresh');
      await pass(endpoint, 60_000);
      await pass(endpoint, 60_000, 150 * day);
      if (restarts) endpoint = await again();
      for (let hours = 0; hours < 30; hours += 1) await pass(endpoint, 3_600_000);
      const [one] = await endpoint.requests.outstanding();
      const age = world.now.getTime() - (one?.created.getTime() ?? 0);
      assert.ok(age > day && age < 2 * day, `${age / day} days`);
      for (let days = 0; days < 91; days += 1) await pass(endpoint, day);
      assert.deepEqual(await waiting(endpoint), []);
    });
  }

  it('gives way to newer ones only, though they say that they are older', async () => {
    const endpoint = await make({ limits: { pending: { requests: 3, days: 90 } } });
    const made: string[] = [];
    for (const time of ['2025-07-01', '2025-07-02', '2025-07-03', '1970-01-01', '1970-01-02']) {
      world.now = new Date(time);
      made.push(await request(endpoint, time));
      assert.deepEqual(await waiting(endpoint), made.slice(-3));
    }
    assert.deepEqual(await waiting(await again()), made.slice(-3));
  });
});

describe('the answer to a request for the key in service', () => {
  const meanwhile: readonly [string, (endpoint: CredentialEndpoint) => Promise<unknown>][] = [
    ['nothing happens', async () => undefined],
    [
      'the device is renamed',
      (endpoint) => {
        world.identity = { hostName: 'renamed.example.com', addresses: [] };
        return endpoint.maintain();
      },
    ],
    [
      'another certificate is installed',
      (endpoint) => {
        const other = tools.issue({ issuer: root });
        return endpoint.replace('1', other.key + other.pem);
      },
    ],
  ];
  for (const [what, happen] of meanwhile) {
    it(`is taken when in the meantime ${what}, and there is a restart`, async () => {
      const endpoint = await make();
      const csr = await endpoint.requests.renew('');
      await endpoint.requests.renew('');
      await happen(endpoint);
      endpoint.stop();
      const next = await again();
      const signed = tools.sign(csr, root);
      await next.replace('1', signed);
      const [installed] = next.list();
      assert.equal(installed?.certificate.fingerprint, certificateOf(signed).fingerprint);
    });
  }
});

describe('the key in service, for which a request was made long ago', () => {
  const early = async () => {
    const endpoint = await make();
    await pass(endpoint, 2 * day);
    const csr = await request(endpoint, 'bmc');
    await endpoint.replace('1', tools.sign(csr, root));
    await pass(endpoint, 29 * day);
    return endpoint;
  };
  const since: readonly [string, (endpoint: CredentialEndpoint) => Promise<unknown>][] = [
    ['a day goes by', (endpoint) => pass(endpoint, 2 * day)],
    ['others are asked for', (endpoint) => request(endpoint, 'other')],
  ];
  for (const [what, happen] of since) {
    it(`waits for the answer to its renewal when ${what}`, async () => {
      const endpoint = await early();
      for (const name of ['a', 'b', 'c', 'd']) await request(endpoint, name);
      const csr = await endpoint.requests.renew('');
      const other = tools.issue({ issuer: root });
      await endpoint.replace('1', other.key + other.pem);
      await happen(endpoint);
      endpoint.stop();
      const next = await again();
      assert.equal((await waiting(next)).includes(csr), true);
      const signed = tools.sign(csr, root);
      await next.replace('1', signed);
      assert.equal(next.list()[0]?.certificate.fingerprint, certificateOf(signed).fingerprint);
    });
  }
});
