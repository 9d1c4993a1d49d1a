import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../fakes/free-port.ts';
import { startNginx } from '../fakes/nginx.ts';
import { caExtensions, type Issued, opensslAuthority } from '../fakes/openssl-authority.ts';
import { type Background, killProcesses, must, run, until } from './commands.ts';
import {
  clone,
  type RunningStack,
  removeDirectory,
  startStack,
  temporaryDirectory,
} from './stack.ts';

const debian = '/etc/ssl/certs/ca-certificates.crt';
const group = 'default-trusted-ca-certs';
const long = { until: '20991231000000Z' };

/** Programs that are killed while a bundle is on its way from a real nginx into a group that services read. */
describe('a trust bundle whose programs are killed', () => {
  const tools = opensslAuthority();
  const extensions = caExtensions;
  const root = tools.issue({ subject: '/CN=root', extensions, ...long });
  const leaving = tools.issue({ subject: '/CN=leaving', extensions, ...long });
  const signer = tools.issue({
    ...{ issuer: root, subject: '/CN=signer', ...long },
    extensions: ['keyUsage=critical,digitalSignature', 'extendedKeyUsage=codeSigning'],
  });
  const state = temporaryDirectory();
  const www = join(tools.directory, 'www');
  const service = join(tools.directory, 'trusted.pem');
  let nginx: Background;
  let stack: RunningStack;
  let revision = 0;

  before(async () => {
    mkdirSync(www, { recursive: true });
    const port = await freePort();
    const user = (await must('id', ['-un'])).trim();
    nginx = startNginx(www, `server { listen 127.0.0.1:${port}; root ${www}; }`, user);
    await publish(leaving);
    const bundle = { url: `http://127.0.0.1:${port}/cacert`, pinnedRoots: root.path };
    const configuration = {
      trustBundles: { bundles: [{ ...bundle, groups: [group] }] },
      services: [
        { name: 'reader', file: service, reload: [], endpoint: { type: 'authority', id: group } },
      ],
    };
    const file = tools.write('configuration.json', JSON.stringify(configuration));
    stack = await startStack(state, ['--with', 'bundle', '--config', file]);
    await until('the group has the bundle', isLoaded);
  });
  after(async () => {
    await stack?.stop();
    await nginx?.stop();
    tools.remove();
    removeDirectory(state);
  });

  const certs = (...words: readonly string[]) =>
    run(process.execPath, [
      ...[join(clone, 'dist/bmc-certs.js'), '--bus', `unix:path=${state}/run/bus`],
      ...words,
    ]);
  /** With a further CA beside those of Debian, or without. */
  const publish = async (further?: Issued) => {
    const sources = [debian, ...(further ? [further.path] : [])];
    const signing = ['--signer', signer.path, '--key', signer.keyPath];
    const { status, stderr } = await certs(
      'bundle',
      'publish',
      join(www, 'cacert'),
      ...sources,
      ...signing,
    );
    assert.equal(status, 0, stderr);
    revision += 1;
  };
  /** `undefined` while the program is not there. */
  const statusOf = async () => {
    const { status, stdout } = await certs('bundle', 'status', '--json');
    return status === 0 ? JSON.parse(stdout) : undefined;
  };
  const isLoaded = async () => (await statusOf())?.groups[0]?.revision === revision;
  const trusts = async () => {
    const path = join(state, 'endpoints/run-time/authority', group, 'authorities');
    const { status } = await run('openssl', ['verify', '-CApath', path, leaving.path]);
    const inDirectory = status === 0;
    // Written before the directory, and put right at the next start
    await until('the service reads the same', () => {
      return readFileSync(service, 'utf8').includes(leaving.pem) === inDirectory;
    });
    return inDirectory;
  };

  it('loads the CAs of Debian with the one that is to leave', async () => {
    assert.equal(await trusts(), true);
  });

  for (const program of ['bundle-updater', 'certificate-manager']) {
    it(`is the old one or the new one after a kill -9 of ${program} at any moment, and then the new one`, async () => {
      for (const milliseconds of [0, 100, 600, 2000]) {
        const had = await trusts();
        await publish(had ? undefined : leaving);
        const asked = certs('bundle', 'download');
        // The moment is another in each round, whatever the speed of the machine
        await pause(milliseconds);
        killProcesses(state, `${program}.js`);
        await asked;
        await until('the program is back', async () => {
          const found = await statusOf();
          if (!found) return false;
          assert.ok([revision - 1, revision].includes(found.revision), `${found.revision}`);
          assert.ok(found.groups[0].present >= 100, `${found.groups[0].present}`);
          return true;
        });
        await until('the bundle is taken', async () => {
          const { status } = await certs('bundle', 'download');
          return status === 0;
        });
        await until('the group has the bundle', isLoaded);
        assert.equal(await trusts(), !had);
      }
    });
  }

  it('stays what it was where the server goes back to an old one, and says why', async () => {
    const kept = join(tools.directory, 'kept');
    cpSync(join(www, 'cacert'), kept, { recursive: true });
    const had = await trusts();
    await publish(had ? undefined : leaving);
    assert.equal((await certs('bundle', 'download')).status, 0);
    await until('the group has the bundle', isLoaded);
    rmSync(join(www, 'cacert'), { recursive: true });
    cpSync(kept, join(www, 'cacert'), { recursive: true });
    const refused = await certs('bundle', 'download');
    assert.deepEqual([refused.status, refused.stderr.split(':')[0]], [5, 'rollback']);
    const { revision: inForce, failureCode } = await statusOf();
    assert.deepEqual([inForce, failureCode, await trusts()], [revision, 'rollback', !had]);
  });

  it('is kept by one program: a second one ends, and says why', async () => {
    const program = join(clone, 'dist/bundle-updater.js');
    const second = await run(process.execPath, [
      program,
      '--config',
      join(state, 'configuration.json'),
    ]);
    assert.notEqual(second.status, 0);
    assert.match(second.stderr, /directory .* belongs to another bundle-updater/);
  });

  it('keeps what was set at run time over a kill, until it is reset', async () => {
    for (const line of ['set-interval 48', 'deactivate'])
      assert.equal((await certs('bundle', ...line.split(' '))).status, 0);
    killProcesses(state, 'bundle-updater.js');
    const found = await until('the program is back', statusOf);
    assert.deepEqual([found.intervalHours, found.enabled], [48, false]);
    await until('it looked at its groups', async () => (await statusOf())?.state === 'deactivated');
    for (const setting of ['interval', 'polling'])
      assert.equal((await certs('bundle', 'reset', setting)).status, 0);
    const { intervalHours, enabled, setAtRunTime } = await statusOf();
    assert.deepEqual([intervalHours, enabled, setAtRunTime], [24, true, []]);
  });
});
