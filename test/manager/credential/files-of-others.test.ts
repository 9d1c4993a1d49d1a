import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { CredentialEndpoint } from '../../../src/manager/credential/credential-endpoint.ts';
import type { EndpointDefinition } from '../../../src/manager/endpoint-definition.ts';
import { until } from '../../e2e/commands.ts';
import { makeWorld, type World, type WorldOptions } from '../../fakes/manager-world.ts';
import { diskError, failsOnDisk, onDisk } from '../../fakes/moody-disk.ts';
import { textOf, threeCredentials } from '../../fakes/three-credentials.ts';

const { one, two, three } = threeCredentials();

let world: World;
let path: string;
let endpoint: CredentialEndpoint;
const restore: (() => void)[] = [];

async function start(
  type: 'server' | 'client',
  text: string | undefined,
  options: WorldOptions = {},
): Promise<void> {
  world = makeWorld(options);
  path = join(world.directory, 'pair', 'pair.pem');
  mkdirSync(dirname(path));
  if (text !== undefined) writeFileSync(path, text);
  const definition: EndpointDefinition = { type, name: 'pair', path, reload: [] };
  endpoint = new CredentialEndpoint(definition, world.dependencies);
  await endpoint.start();
}

/** As a careful program does: no reader finds half of it. */
function put(text: string): void {
  writeFileSync(`${path}.theirs`, text);
  renameSync(`${path}.theirs`, path);
}

const served = () => readFileSync(path, 'utf8');
const listed = () => endpoint.list().map(({ certificate }) => certificate.pem);
const aside = () =>
  readdirSync(dirname(path))
    .filter((name) => name.endsWith('.refused'))
    .map((name) => readFileSync(join(dirname(path), name), 'utf8'));

afterEach(() => {
  for (const undo of restore.splice(0)) undo();
  endpoint.stop();
  world.remove();
});

describe('a file that somebody put there, and nobody looked at yet', () => {
  const changes: [string, 'server' | 'client', () => Promise<unknown>][] = [
    ['a replacement', 'server', () => endpoint.replace('1', textOf(three))],
    ['a replacement', 'client', () => endpoint.replace('1', textOf(three))],
    ['a deletion', 'server', () => endpoint.delete('1')],
    ['a deletion', 'client', () => endpoint.delete('1')],
    ['a deletion of all', 'client', () => endpoint.deleteAll()],
  ];
  for (const [what, type, change] of changes) {
    it(`is kept aside by ${what} at a ${type}`, async () => {
      await start(type, textOf(one));
      put(textOf(two));
      await change();
      assert.deepEqual(aside(), [textOf(two)]);
      assert.equal(existsSync(path) && served() === textOf(two), false);
    });
  }

  it('is kept aside by an installation', async () => {
    await start('client', undefined);
    put(textOf(two));
    await endpoint.install(textOf(one));
    assert.deepEqual(aside(), [textOf(two)]);
    assert.equal(served(), textOf(one));
  });

  it('leaves no copy when it is what is to be installed', async () => {
    await start('server', textOf(one));
    put(textOf(two));
    await endpoint.replace('1', textOf(two));
    assert.deepEqual([aside(), served()], [[], textOf(two)]);
  });

  it('leaves no copy when it is empty', async () => {
    await start('server', textOf(one));
    put('');
    await endpoint.replace('1', textOf(two));
    assert.deepEqual([aside(), served()], [[], textOf(two)]);
  });

  it('comes before a self-signed certificate that follows the name of the host', async () => {
    await start('server', undefined, { watch: { settle: 20, grace: 50 } });
    put(textOf(one));
    world.identity = { hostName: 'other.example.com', addresses: [] };
    await endpoint.maintain();
    await until('it is in service', () => listed()[0] === one.pem);
    assert.equal(served(), textOf(one));
  });
});

describe('a bad file that somebody put there', () => {
  const watch = { settle: 20, grace: 50 };
  const said = (message: string) => world.logged.some((entry) => entry.message === message);

  it('is kept aside when a client gets a certificate afterwards', async () => {
    await start('client', undefined, { watch });
    put('not a certificate');
    await until('it is refused', () => said('changed certificate file refused'));
    await endpoint.install(textOf(one));
    assert.deepEqual(aside(), ['not a certificate']);
  });

  for (const code of ['ENOSPC', 'EPERM']) {
    it(`costs nobody a key on a disk that gives no second name (${code})`, async () => {
      await start('server', textOf(one), { watch });
      const undo = failsOnDisk('link', code);
      restore.push(undo);
      put('not a certificate');
      if (code === 'EPERM') {
        await until('the last good one is back', () => served() === textOf(one));
        assert.deepEqual(aside(), ['not a certificate']);
        return;
      }
      await until('it was tried', () => said('last good certificate not put back'));
      assert.equal(served(), 'not a certificate');
      await endpoint.maintain();
      undo();
      await endpoint.maintain();
      await until('the last good one is back', () => served() === textOf(one));
      assert.deepEqual([listed(), aside()], [[one.pem], ['not a certificate']]);
    });
  }

  it('is followed by the last good one though it is a directory, and the disk fails in between', async () => {
    await start('server', textOf(one), { watch });
    const fails = { isOver: false };
    restore.push(failsWhenGone(fails));
    renameSync(path, `${path}.theirs`);
    mkdirSync(join(path, 'in it'), { recursive: true });
    await until('it is moved', () => !existsSync(path));
    await endpoint.maintain();
    fails.isOver = true;
    await until('the last good one is back', () => existsSync(path));
    assert.deepEqual([listed(), served()], [[one.pem], textOf(one)]);
  });
});

/** Has the disk put nothing into an empty place. @returns brings back the real one */
function failsWhenGone(fails: { readonly isOver: boolean }): () => void {
  return onDisk('rename', (real) => async (from, to) => {
    if (to === path && !existsSync(path) && !fails.isOver) throw diskError('EIO');
    await real(from, to);
  });
}
