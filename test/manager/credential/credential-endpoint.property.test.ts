import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { CertError } from '../../../src/core/cert-error.ts';
import { CredentialEndpoint } from '../../../src/manager/credential/credential-endpoint.ts';
import type { Endpoint } from '../../../src/manager/endpoint.ts';
import type { EndpointDefinition } from '../../../src/manager/endpoint-definition.ts';
import { parsePem } from '../../../src/x509/pem.ts';
import { csrParameters, makeWorld, snapshot, type World } from '../../fakes/manager-world.ts';
import { goodTime, type Issued, opensslAuthority } from '../../fakes/openssl-authority.ts';
import { endings, tryOut } from '../../fakes/try-out.ts';

const tools = opensslAuthority();
after(() => tools.remove());

const root = tools.issueCa();
const first = tools.issue({ issuer: root, subject: '/CN=first' });
const pool: readonly Issued[] = [
  first,
  tools.issue({ issuer: root, subject: '/CN=second' }),
  tools.issue({ issuer: root, subject: '/CN=renewed', keyOf: first }),
  tools.issue({ subject: '/CN=self-signed' }),
];

type Step = (endpoint: Endpoint, world: World) => Promise<unknown>;

/** Certificates and keys in any order: some fit, some do not, some files lack one. */
const upload = fc
  .array(fc.constantFrom(...pool.flatMap(({ pem, key }) => [pem, key]), root.pem, 'x'), {
    maxLength: 4,
  })
  .map((parts) => parts.join(''));
const fitting = fc.constantFrom(...pool.map(({ pem, key }) => key + pem));
const text = fc.oneof(fitting, upload);

const steps: fc.Arbitrary<Step> = fc.oneof(
  text.map(
    (pem): Step =>
      (endpoint) =>
        endpoint.install(pem),
  ),
  text.map(
    (pem): Step =>
      (endpoint) =>
        endpoint.replace('1', pem),
  ),
  fc.constantFrom('1', '2').map(
    (id): Step =>
      (endpoint) =>
        endpoint.delete(id),
  ),
  fc.constant<Step>((endpoint) => endpoint.deleteAll()),
  fc.tuple(text, fc.constantFrom(...endings)).map(
    ([pem, end]): Step =>
      (endpoint) =>
        tryOut(endpoint, pem, end),
  ),
  fc.constant<Step>((endpoint) => endpoint.requests.make(csrParameters())),
  fc.integer({ min: -2000, max: 2000 }).map(
    (days): Step =>
      (endpoint, world) => {
        world.now = new Date(Math.max(0, goodTime.getTime() + days * 86_400_000));
        return endpoint.maintain();
      },
  ),
);

const listed = (endpoint: Endpoint) =>
  endpoint
    .list()
    .map(({ id, certificate, chain }) => [id, certificate.pem, ...chain.map((c) => c.pem)]);

function checkFile(endpoint: Endpoint, path: string): void {
  const [installed] = endpoint.list();
  if (!installed) {
    assert.ok(!existsSync(path));
    return;
  }
  const [key, leaf, ...chain] = parsePem(readFileSync(path, 'utf8'));
  assert.ok(key && leaf);
  assert.ok(new X509Certificate(leaf.der).checkPrivateKey(createPrivateKey(key.text)));
  assert.deepEqual(
    [leaf, ...chain].map(({ text }) => text),
    [installed.certificate.pem, ...installed.chain.map(({ pem }) => pem)],
  );
}

for (const type of ['server', 'client'] as const) {
  describe(`any sequence of operations on a ${type} endpoint`, () => {
    const inNewWorld = async (
      use: (endpoint: Endpoint, world: World, path: string) => Promise<void>,
    ) => {
      const world = makeWorld();
      const path = join(world.directory, 'state', 'pair.pem');
      const definition: EndpointDefinition = { type, name: 'pair', path, reload: [] };
      const endpoint = new CredentialEndpoint(definition, world.dependencies);
      try {
        await endpoint.start();
        await use(endpoint, world, path);
        const fresh = new CredentialEndpoint(definition, world.dependencies);
        await fresh.start();
        assert.deepEqual(listed(fresh), listed(endpoint));
      } finally {
        world.remove();
      }
    };
    const hasAsMany = (endpoint: Endpoint) => {
      const ids = endpoint.list().map(({ id }) => id);
      if (type === 'server') assert.deepEqual(ids, ['1']);
      else assert.ok(ids.length === 0 || ids.join() === '1');
    };

    it('keeps key and certificate a pair, and the file as the list', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(steps, { maxLength: 8 }), async (sequence) => {
          await inNewWorld(async (endpoint, world, path) => {
            for (const step of sequence) {
              const before = { list: listed(endpoint), disk: snapshot(world.directory) };
              try {
                await step(endpoint, world);
              } catch (error) {
                assert.ok(error instanceof CertError, String(error));
                const now = { list: listed(endpoint), disk: snapshot(world.directory) };
                assert.deepEqual(now, before);
              }
              hasAsMany(endpoint);
              checkFile(endpoint, path);
            }
          });
        }),
        { numRuns: 25 },
      );
    });

    it('keeps them when all come at once', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(steps, { maxLength: 8 }), async (sequence) => {
          await inNewWorld(async (endpoint, world, path) => {
            await Promise.allSettled(sequence.map((step) => step(endpoint, world)));
            // A renewal that a staged replacement kept out is made good at the next look
            await endpoint.maintain();
            hasAsMany(endpoint);
            checkFile(endpoint, path);
          });
        }),
        { numRuns: 15 },
      );
    });
  });
}
