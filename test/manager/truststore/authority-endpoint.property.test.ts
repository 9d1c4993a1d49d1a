import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { CertError } from '../../../src/core/cert-error.ts';
import type { Endpoint } from '../../../src/manager/endpoint.ts';
import type { EndpointDefinition } from '../../../src/manager/endpoint-definition.ts';
import { AuthorityEndpoint } from '../../../src/manager/truststore/authority-endpoint.ts';
import { makeWorld, snapshot, type World } from '../../fakes/manager-world.ts';
import { opensslAuthority } from '../../fakes/openssl-authority.ts';
import { endings, tryOut } from '../../fakes/try-out.ts';

const tools = opensslAuthority();
after(() => tools.remove());

/** Two CAs of one name, two others, and one that no truststore takes. */
const pool = [
  ...['One', 'One', 'Two', 'Three'].map((name) => tools.issueCa({ subject: `/CN=${name}` })),
  tools.issue(),
].map(({ pem }) => pem);

type Step = (endpoint: Endpoint) => Promise<unknown>;

const anyPem = fc.constantFrom(...pool);
const bundle = fc.array(anyPem, { maxLength: 4 }).map((list) => list.join(''));
/** The id of one that is installed, or of nobody. */
const anyId = fc.nat({ max: 4 });
const idAt = (endpoint: Endpoint, at: number) => endpoint.list()[at]?.id ?? '99';

const steps: fc.Arbitrary<readonly [string, Step]> = fc.oneof(
  anyPem.map((pem) => ['install', (e: Endpoint) => e.install(pem)] as const),
  bundle.map((pem) => ['installAll', (e: Endpoint) => e.installAll(pem)] as const),
  bundle.map((pem) => ['replaceAll', (e: Endpoint) => e.replaceAll(pem)] as const),
  fc
    .tuple(anyId, anyPem)
    .map(([at, pem]) => ['replace', (e: Endpoint) => e.replace(idAt(e, at), pem)] as const),
  anyId.map((at) => ['delete', (e: Endpoint) => e.delete(idAt(e, at))] as const),
  fc.constant(['deleteAll', (e: Endpoint) => e.deleteAll()] as const),
  fc
    .tuple(bundle, fc.constantFrom(...endings))
    .map(([pem, end]) => ['replacement', (e: Endpoint) => tryOut(e, pem, end)] as const),
  fc.constant(['restart', async () => undefined] as const),
);

const listed = (endpoint: Endpoint) =>
  endpoint
    .list()
    .map(({ id, certificate }) => `${id} ${certificate.fingerprint}`)
    .sort();

/** The endpoint with what must hold of it at all times. */
class Watched {
  readonly #world: World;
  readonly #definition: EndpointDefinition;
  readonly #gone = new Set<string>();
  endpoint: Endpoint;

  constructor(world: World) {
    this.#world = world;
    const path = join(world.directory, 'authority');
    this.#definition = { type: 'authority', name: 'truststore', path, reload: [] };
    this.endpoint = this.#fresh();
  }

  #fresh(): Endpoint {
    return new AuthorityEndpoint(this.#definition, this.#world.dependencies);
  }

  async take([name, act]: readonly [string, Step]): Promise<void> {
    if (name === 'restart') {
      this.endpoint = this.#fresh();
      await this.endpoint.start();
    }
    const before = { list: listed(this.endpoint), disk: snapshot(this.#world.directory) };
    const ids = this.endpoint.list().map(({ id }) => id);
    try {
      await act(this.endpoint);
    } catch (error) {
      assert.ok(error instanceof CertError, String(error));
      const now = { list: listed(this.endpoint), disk: snapshot(this.#world.directory) };
      assert.deepEqual(now, before);
    }
    await this.#check(ids);
  }

  async #check(before: readonly string[]): Promise<void> {
    const ids = this.endpoint.list().map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length, 'an id is given twice');
    for (const id of before) if (!ids.includes(id)) this.#gone.add(id);
    for (const id of ids) assert.ok(!this.#gone.has(id), `the id ${id} came back`);
    const files = readdirSync(this.#definition.path).filter((name) => name.endsWith('.pem'));
    assert.deepEqual(files.sort(), ids.map((id) => `${id}.pem`).sort());
    const names = readdirSync(this.#definition.path);
    const links = names.filter((name) => /^[0-9a-f]{8}\.\d+$/.test(name));
    assert.equal(links.length, ids.length);
    const bundle = names.includes('trust_bundle')
      ? readFileSync(join(this.#definition.path, 'trust_bundle'), 'utf8')
      : '';
    const pems = this.endpoint.list().map(({ certificate }) => certificate.pem);
    assert.equal(bundle, pems.join(''), 'the bundle is not in step');
    const fresh = this.#fresh();
    await fresh.start();
    assert.deepEqual(listed(fresh), listed(this.endpoint));
  }
}

describe('any sequence of operations on a truststore', () => {
  it('keeps its ids unique, and its disk as its list', async () => {
    const sequences = fc.array(steps, { minLength: 1, maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(sequences, async (sequence) => {
        const world = makeWorld({ limits: { authorities: 3 } });
        try {
          const watched = new Watched(world);
          await watched.endpoint.start();
          for (const step of sequence) await watched.take(step);
        } finally {
          world.remove();
        }
      }),
      { numRuns: 30 },
    );
  });

  it('is the same when all come at once', async () => {
    const sequences = fc.array(steps, { minLength: 2, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(sequences, async (sequence) => {
        const worlds = [makeWorld(), makeWorld()] as const;
        const [inTurn, atOnce] = worlds.map((world) => new Watched(world).endpoint);
        assert.ok(inTurn && atOnce);
        try {
          await inTurn.start();
          await atOnce.start();
          // Ids that depend on the state are settled when a step begins, and a staged replacement keeps others out
          const free = sequence.filter(
            ([name]) => !['replace', 'delete', 'replacement'].includes(name),
          );
          for (const [, act] of free) await act(inTurn).catch(() => undefined);
          await Promise.allSettled(free.map(([, act]) => act(atOnce)));
          assert.deepEqual(listed(atOnce), listed(inTurn));
        } finally {
          for (const world of worlds) world.remove();
        }
      }),
      { numRuns: 15 },
    );
  });
});
