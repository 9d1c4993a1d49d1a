import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { EndpointDefinition } from '../../src/manager/endpoint-definition.ts';
import { AuthorityEndpoint } from '../../src/manager/truststore/authority-endpoint.ts';
import { usualLimits } from '../../src/x509/limits.ts';
import { writeText } from '../e2e/certificate-authority.ts';
import { must, run } from '../e2e/commands.ts';
import { makeWorld, type World } from '../fakes/manager-world.ts';
import { refusal } from '../fakes/refusal.ts';
import { type QuickAuthority, quickAuthorities, quickAuthority } from './quick-authorities.ts';

const max = 1000;

const namesakes = Array.from({ length: 3 }, () => quickAuthority('Namesake CA'));
const authorities = [...quickAuthorities(max - namesakes.length), ...namesakes];

describe('a truststore of a thousand authorities', () => {
  let world: World;
  let definition: EndpointDefinition;
  let endpoint: AuthorityEndpoint;

  const open = async () => {
    const opened = new AuthorityEndpoint(definition, world.dependencies);
    await opened.start();
    return opened;
  };
  const listed = (from: AuthorityEndpoint) =>
    from.list().map(({ id, certificate }) => `${id} ${certificate.fingerprint}`);
  const idOf = ({ pem }: QuickAuthority) =>
    endpoint.list().find(({ certificate }) => certificate.pem === pem)?.id ?? 'absent';

  /** Whether openssl, with nothing but the directory, trusts a new leaf of an authority. */
  const isTrusted = async (authority: QuickAuthority): Promise<boolean> => {
    const leaf = writeText(world.directory, 'leaf.pem', authority.issue('leaf'));
    const only = ['verify', '-no-CAfile', '-no-CAstore', '-CApath', definition.path];
    const { status, stderr } = await run('openssl', [...only, leaf]);
    if (status !== 0) assert.match(stderr, /unable to get local issuer certificate/);
    return status === 0;
  };
  const trusted = async (some: readonly QuickAuthority[]) => {
    const found: QuickAuthority[] = [];
    for (const one of some) if (await isTrusted(one)) found.push(one);
    return found;
  };

  before(async () => {
    // As the program does for an endpoint of so many
    const content = { ...usualLimits, blocks: max + 16 };
    world = makeWorld({ limits: { authorities: max, content } });
    const path = join(world.directory, 'authority');
    definition = { type: 'authority', name: 'truststore', path, reload: [] };
    endpoint = await open();
    await endpoint.replaceAll(authorities.map(({ pem }) => pem).join(''));
  });
  after(() => world?.remove());

  it('has each of them under an id of its own', () => {
    const ids = endpoint.list().map(({ id }) => id);
    assert.equal(new Set(ids).size, max);
    assert.deepEqual(
      endpoint.list().map(({ certificate }) => certificate.pem),
      authorities.map(({ pem }) => pem),
    );
  });

  it('is a directory in which openssl finds the issuer of a leaf of any of them', async () => {
    const some = pick(authorities, 10);
    assert.deepEqual(names(await trusted(some)), names(some));
  });

  it('does not vouch for a leaf of an authority that is not in it', async () => {
    assert.ok(!(await isTrusted(quickAuthority('Stranger CA'))));
    // Of a name that is there, and a key that is not
    const leaf = quickAuthority('Quick CA 1').issue('leaf');
    const path = writeText(world.directory, 'stranger.pem', leaf);
    const args = ['verify', '-no-CAfile', '-no-CAstore', '-CApath', definition.path, path];
    assert.notEqual((await run('openssl', args)).status, 0);
  });

  it('has authorities of one name side by side under one hash', async () => {
    const hash = (await must('openssl', ['x509', '-noout', '-hash'], namesakes[0]?.pem)).trim();
    const links = readdirSync(definition.path).filter((name) => name.startsWith(`${hash}.`));
    assert.deepEqual(links.sort(), [`${hash}.0`, `${hash}.1`, `${hash}.2`]);
    assert.deepEqual(await trusted(namesakes), namesakes);
  });

  it('is what openssl rehash makes of it', async () => {
    const links = readdirSync(definition.path).sort();
    await must('openssl', ['rehash', definition.path]);
    assert.equal(readdirSync(definition.path).length, links.length);
    assert.deepEqual(await trusted(namesakes), namesakes);
  });

  it('refuses one more, by itself or in a bundle, and stays as it is', async () => {
    const before = listed(endpoint);
    const { pem } = quickAuthority('One too many');
    await assert.rejects(endpoint.install(pem), refusal('limit-reached'));
    const bundle = [...authorities.map((one) => one.pem), pem].join('');
    await assert.rejects(endpoint.replaceAll(bundle), refusal('limit-reached'));
    assert.deepEqual(listed(endpoint), before);
    assert.deepEqual(listed(await open()), before);
  });

  it('keeps every id over a restart', async () => {
    assert.deepEqual(listed(await open()), listed(endpoint));
  });

  it('loses exactly the trust in one that is deleted', async () => {
    const [gone, ...others] = pick(authorities.slice(0, -namesakes.length), 10);
    assert.ok(gone);
    const id = idOf(gone);
    await endpoint.delete(id);
    assert.deepEqual(names(await trusted([gone, ...others])), names(others));
    assert.equal(endpoint.list().length, max - 1);
    // What takes the free place gets a number that nobody had
    const successor = quickAuthority('Successor CA');
    const installed = await endpoint.install(successor.pem);
    assert.ok(Number(installed.id) > max, installed.id);
    assert.ok(await isTrusted(successor));
    assert.ok(!(await isTrusted(gone)));
  });

  for (const at of [1, 0]) {
    it(`loses exactly the trust in namesake ${at} when that is deleted`, async () => {
      const gone = namesakes[at];
      assert.ok(gone);
      const before = await trusted(namesakes);
      await endpoint.delete(idOf(gone));
      const staying = before.filter((one) => one !== gone);
      assert.deepEqual(await trusted(namesakes), staying);
      endpoint = await open();
      assert.deepEqual(await trusted(namesakes), staying);
    });
  }
});

function pick<T>(list: readonly T[], count: number): T[] {
  const rest = [...list];
  return Array.from({ length: count }, () =>
    rest.splice(Math.floor(Math.random() * rest.length), 1),
  ).flat();
}

function names(list: readonly QuickAuthority[]): string[] {
  return list.map(({ name }) => name);
}
