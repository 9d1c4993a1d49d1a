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
