import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, afterEach, describe, it } from 'node:test';
import { CredentialEndpoint } from '../../../src/manager/credential/credential-endpoint.ts';
import { StagedReplacements } from '../../../src/manager/replacement/staged-replacements.ts';
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

const request = (endpoint: CredentialEndpoint, CommonName: string) =>
  endpoint.requests.make(csrParameters({ CommonName }));

const waiting = async (endpoint: CredentialEndpoint) =>
  (await endpoint.requests.outstanding()).map(({ pem }) => pem);

describe('a request on a device without a clock of its own', () => {
  it('gives way to newer ones only, though they say that they are older', async () => {
    const endpoint = await make({ limits: { pendingRequests: 3 } });
    const made: string[] = [];
    for (const time of ['2025-07-01', '2025-07-02', '2025-07-03', '1970-01-01', '1970-01-02']) {
      world.now = new Date(time);
      made.push(await request(endpoint, time));
      assert.deepEqual(await waiting(endpoint), made.slice(-3));
    }
    assert.deepEqual(await waiting(await again()), made.slice(-3));
  });
});

describe('a request whose certificate was installed', () => {
  type Put = (endpoint: CredentialEndpoint, pem: string) => Promise<unknown>;
  const ways: readonly [string, Put][] = [
    ['by a replacement', (endpoint, pem) => endpoint.replace('1', pem)],
    [
      'by a change in two phases',
      async (endpoint, pem) => {
        const replacements = new StagedReplacements(world.dependencies.log, () => seconds);
        const replacement = await replacements.stage('owner', [{ endpoint, content: pem }]);
        await replacements.activate('owner', replacement);
        await replacements.commit('owner', replacement);
      },
    ],
  ];
  const seconds = { defaultSeconds: 60, maxSeconds: 60 };
  for (const [way, put] of ways) {
    it(`${way} waits no more, also after the next one, and still finds its key`, async () => {
      const endpoint = await make();
      const first = await request(endpoint, 'first');
      const second = await request(endpoint, 'second');
      const third = await request(endpoint, 'third');
      await put(endpoint, tools.sign(first, root));
      assert.deepEqual(await waiting(endpoint), [second, third]);
      await put(endpoint, tools.sign(second, root));
      assert.deepEqual(await waiting(endpoint), [third]);
      const restarted = await again();
      assert.deepEqual(await waiting(restarted), [third]);
      await put(restarted, tools.sign(first, root));
    });
  }

  it('waits again for the certificate of a renewal, which has the same key', async () => {
    const endpoint = await make();
    await endpoint.replace('1', tools.sign(await request(endpoint, 'first'), root));
    const renewal = await endpoint.requests.renew('');
    await endpoint.replace('1', tools.sign(await request(endpoint, 'second'), root));
    assert.deepEqual(await waiting(endpoint), [renewal]);
  });

  it('waits again when its change is undone', async () => {
    const endpoint = await make();
    const csr = await request(endpoint, 'tried');
    const replacements = new StagedReplacements(world.dependencies.log, () => seconds);
    const content = tools.sign(csr, root);
    const replacement = await replacements.stage('owner', [{ endpoint, content }]);
    await replacements.activate('owner', replacement);
    await replacements.rollback('owner', replacement);
    assert.deepEqual(await waiting(endpoint), [csr]);
  });

  it('gives way before those that wait, when there are too many', async () => {
    const endpoint = await make({ limits: { pendingRequests: 2 } });
    const first = await request(endpoint, 'first');
    const second = await request(endpoint, 'second');
    await endpoint.replace('1', tools.sign(second, root));
    const third = await request(endpoint, 'third');
    assert.deepEqual(await waiting(endpoint), [first, third]);
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

describe('the key in service, for which a request was made before all others', () => {
  it('waits for the answer to its renewal when others are asked for', async () => {
    const endpoint = await make();
    const first = await request(endpoint, 'bmc');
    await endpoint.replace('1', tools.sign(first, root));
    for (const name of ['a', 'b', 'c', 'd']) await request(endpoint, name);
    const csr = await endpoint.requests.renew('');
    const other = tools.issue({ issuer: root });
    await endpoint.replace('1', other.key + other.pem);
    await request(endpoint, 'other');
    endpoint.stop();
    const next = await again();
    assert.equal((await waiting(next)).includes(csr), true);
    const signed = tools.sign(csr, root);
    await next.replace('1', signed);
    assert.equal(next.list()[0]?.certificate.fingerprint, certificateOf(signed).fingerprint);
  });
});
