import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext } from 'node:tls';
import { CredentialEndpoint } from '../../../src/manager/credential/credential-endpoint.ts';
import { openUpload } from '../../../src/manager/upload.ts';
import { until } from '../../e2e/commands.ts';
import {
  csrParameters,
  makeWorld,
  type World,
  type WorldOptions,
} from '../../fakes/manager-world.ts';
import { diskError, failsOnDisk, onDisk } from '../../fakes/moody-disk.ts';
import { certificateOf } from '../../fakes/openssl-authority.ts';
import { refusal } from '../../fakes/refusal.ts';
import { textOf, threeCredentials } from '../../fakes/three-credentials.ts';

const { tools, root, one, two, three } = threeCredentials();

let world: World;
let path: string;
const open: CredentialEndpoint[] = [];
const restore: (() => void)[] = [];

function make(type: 'server' | 'client', options: WorldOptions = {}): CredentialEndpoint {
  world = makeWorld(options);
  path = join(world.directory, 'pair', 'pair.pem');
  mkdirSync(dirname(path));
  return again(type);
}

function again(type: 'server' | 'client'): CredentialEndpoint {
  const endpoint = new CredentialEndpoint(
    { type, name: 'pair', path, reload: [] },
    world.dependencies,
  );
  open.push(endpoint);
  return endpoint;
}

/** As a careful program does: no reader finds half of it. */
function put(text: string, mode = 0o600): void {
  writeFileSync(`${path}.theirs`, text, { mode });
  renameSync(`${path}.theirs`, path);
}

const served = () => readFileSync(path, 'utf8');
const listed = (endpoint: CredentialEndpoint) =>
  endpoint.list().map(({ certificate }) => certificate.pem);
const saying = () => world.logged.map(({ message }) => message);

/** @param answer told of each attempt to read the file; what it throws is what the disk says */
function whenRead(answer: () => Promise<void>): void {
  const undo = onDisk('open', (real) => async (which, flags, mode): Promise<FileHandle> => {
    if (which === path) await answer();
    return real(which, flags, mode);
  });
  restore.push(undo);
}

afterEach(() => {
  for (const undo of restore.splice(0)) undo();
  for (const endpoint of open.splice(0)) endpoint.stop();
  world.remove();
});

describe('a file that could not be read at the start', () => {
  let endpoint: CredentialEndpoint;
  let answer: () => Promise<void>;

  beforeEach(async () => {
    endpoint = make('server');
    put(textOf(one));
    answer = () => Promise.reject(diskError('EIO'));
    whenRead(() => answer());
    await endpoint.start();
    assert.deepEqual(listed(endpoint), []);
    answer = async () => void (await sleep(60));
  });

  const meanwhile: readonly [string, () => Promise<unknown>][] = [
    ['a second look', () => endpoint.maintain()],
    ['an install', () => endpoint.install(textOf(two)).catch((error: unknown) => error)],
    ['a staged replacement', () => endpoint.stage(textOf(two)).then((staged) => staged.release())],
  ];
  for (const [what, work] of meanwhile) {
    it(`is not written over by ${what} that comes while it is read`, async () => {
      const first = endpoint.maintain();
      await sleep(10);
      await work();
      await first;
      assert.equal(served(), textOf(one));
      assert.deepEqual(listed(endpoint), [one.pem]);
    });
  }

  it('is not taken for absent by an install that is asked for meanwhile', async () => {
    const first = endpoint.maintain();
    await assert.rejects(endpoint.install(textOf(two)), refusal('already-installed'));
    await first;
  });
});

describe('a file that another program changes', () => {
  const quick = { watch: { settle: 20, grace: 40 } };

  for (const code of ['EMFILE', 'EIO']) {
    it(`is taken over later when reading it ends with ${code} at first`, async () => {
      const endpoint = make('server', quick);
      put(textOf(one));
      await endpoint.start();
      let left = 3;
      whenRead(async () => {
        if (left === 0) return;
        left -= 1;
        throw diskError(code);
      });
      put(textOf(two));
      while (left > 0) {
        await endpoint.maintain();
        await sleep(30);
      }
      await endpoint.maintain();
      await until('it is taken over', () => listed(endpoint)[0] === two.pem);
      assert.equal(served(), textOf(two));
      assert.deepEqual(readdirSync(dirname(path)), ['pair.pem']);
    });
  }

  it('is not written over while it cannot be kept', async () => {
    const endpoint = make('server', quick);
    put(textOf(one));
    await endpoint.start();
    restore.push(failsOnDisk('link', 'EIO'), failsOnDisk('readdir', 'EIO'));
    put('half of a certificate');
    await until('it is refused', () => saying().includes('last good certificate not put back'));
    assert.equal(served(), 'half of a certificate');
  });

  it('has the last word when it changes again while it is taken over', async () => {
    const endpoint = make('server', quick);
    put(textOf(one));
    await endpoint.start();
    let isFirst = true;
    // What the manager does last before the new file takes the place of the old one
    const link = onDisk('link', (real) => (from, to) => {
      if (isFirst) put(textOf(three));
      isFirst = false;
      return real(from, to);
    });
    restore.push(link);
    put(textOf(two));
    await until('the last one is taken over', () => listed(endpoint)[0] === three.pem);
    assert.equal(served(), textOf(three));
  });

  it('is closed to others also when it says what it said before', async () => {
    const endpoint = make('server', quick);
    put(textOf(one));
    await endpoint.start();
    put(textOf(one), 0o644);
    await until('it is closed', () => (statSync(path).mode & 0o777) === 0o600);
  });
});

describe('a file of an earlier time', () => {
  const files: readonly [string, (endpoint: CredentialEndpoint) => Promise<string>, number][] = [
    [
      'without its key, which waits with the request',
      async (endpoint) => {
        const request = await endpoint.requests.make(csrParameters({ CommonName: 'bmc' }));
        return tools.sign(request, root);
      },
      1,
    ],
    ['with the issuer first', async () => one.key + root.pem + one.pem, 2],
  ];
  for (const [what, write, certificates] of files) {
    it(`is completed so that services can load it: ${what}`, async () => {
      const before = make('server');
      await before.start();
      const text = await write(before);
      before.stop();
      put(text);
      const endpoint = again('server');
      await endpoint.start();
      const [installed] = endpoint.list();
      assert.ok(installed && text.includes(installed.certificate.pem));
      createSecureContext({ key: served(), cert: served() });
      assert.equal(served().match(/BEGIN CERTIFICATE/g)?.length, certificates);
      assert.deepEqual(world.reloads.slice(1), ['pair']);
    });
  }

  for (const uploadBytes of [1024, 3500]) {
    it(`stays in service when the limit of uploads is ${uploadBytes}, which it exceeds`, async () => {
      const endpoint = make('server', { limits: { uploadBytes } });
      await endpoint.start();
      if (uploadBytes > 2000) {
        const parameters = { KeyPairAlgorithm: 'RSA', KeyCurveId: '', KeyBitLength: 2048n };
        const request = await endpoint.requests.make(csrParameters(parameters));
        const comment = `nsComment=${'x'.repeat(1800)}`;
        const signed = certificateOf(
          tools.sign(request, root, ['basicConstraints=CA:FALSE', comment]),
        );
        const content = { bytes: signed.der, format: 'DER', password: '' } as const;
        await endpoint.replace('1', openUpload(content, uploadBytes));
      }
      const before = listed(endpoint);
      assert.ok(statSync(path).size > uploadBytes);
      endpoint.stop();
      const next = again('server');
      await next.start();
      assert.deepEqual(listed(next), before);
      assert.deepEqual(
        readdirSync(dirname(path)).filter((name) => name.includes('refused')),
        [],
      );
    });
  }

  for (const type of ['server', 'client'] as const) {
    it(`is kept when a ${type} cannot serve it and another certificate is installed`, async () => {
      const endpoint = make(type);
      const half = one.key + one.pem.slice(0, 200);
      put(half);
      await endpoint.start();
      if (type === 'client') await endpoint.install(textOf(two));
      const kept = readdirSync(dirname(path)).filter((name) => name.endsWith('.refused'));
      assert.deepEqual(
        kept.map((name) => readFileSync(join(dirname(path), name), 'utf8')),
        [half],
      );
      assert.notEqual(served(), half);
    });
  }

  it('is changed while the directory of requests can never be used', async () => {
    const endpoint = make('server');
    put(textOf(one));
    writeFileSync(join(dirname(path), 'privkey.pem'), two.key);
    mkdirSync(join(world.directory, 'elsewhere'));
    symlinkSync(join(world.directory, 'elsewhere'), `${path}.requests`);
    await endpoint.start();
    let isDone = false;
    const looks = (async () => {
      while (!isDone) await endpoint.maintain();
    })();
    for (let at = 0; at < 40; at += 1) await endpoint.replace('1', textOf(at % 2 ? one : two));
    isDone = true;
    await looks;
  });
});

describe('a staged replacement that an earlier manager left', () => {
  it('has its services told that it is undone', async () => {
    const endpoint = make('server');
    const owed: string[] = [];
    const dependencies = {
      ...world.dependencies,
      oweReload: () => void owed.push(existsSync(path) ? served() : 'nothing'),
    };
    put(textOf(two));
    const saved = join(world.directory, 'saved');
    mkdirSync(saved);
    writeFileSync(join(saved, 'pair.pem'), textOf(one));
    const definition = { ...endpoint.definition };
    const next = new CredentialEndpoint(definition, dependencies);
    open.push(next);
    await next.recover(saved);
    assert.deepEqual(owed, [textOf(two)], 'it is owed before anything is undone');
    assert.deepEqual(world.reloads, []);
    await next.start();
    assert.deepEqual(listed(next), [one.pem]);
    assert.deepEqual(world.reloads, ['pair']);
  });
});
