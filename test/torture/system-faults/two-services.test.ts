import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { generateCertificate } from '../../../src/manager/credential/generated-certificate.ts';
import { exportPrivateKey } from '../../../src/x509/keys.ts';
import { run } from '../../e2e/commands.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { extent, figure } from '../extent.ts';

const built = (name: string) => fileURLToPath(new URL(`../../../dist/${name}`, import.meta.url));
const rounds = extent({ quick: 2, long: 15 });

interface Service {
  readonly child: ChildProcess;
  output(): string;
  readonly ended: Promise<unknown>;
  /** @throws when it ends instead */
  readonly ready: Promise<unknown>;
}

describe('a second Redfish service for the same files', () => {
  let bus: PrivateBus;
  let state: string;
  let configuration: string;

  before(async () => {
    bus = await startPrivateBus();
    state = join(bus.directory, 'state');
    configuration = join(bus.directory, 'configuration.json');
    const { key, leaf } = generateCertificate(
      { hostName: 'bmc', addresses: [] },
      { validDays: 5, renewBeforeDays: 1, curve: 'prime256v1', organization: 'x' },
      Date.now(),
    );
    const path = join(bus.directory, 'server.pem');
    writeFileSync(path, exportPrivateKey(key) + leaf.pem);
    const document = {
      stateDirectory: state,
      runtimeDirectory: join(bus.directory, 'run'),
      bus: bus.address,
      endpoints: [{ type: 'server', name: 'https', path, reload: [] }],
      // Each has a port of its own, so that this is not what keeps the second one away
      redfish: { address: '127.0.0.1', port: 0, directory: '.' },
    };
    writeFileSync(configuration, JSON.stringify(document));
    writeFileSync(join(bus.directory, 'password'), 'a right Password 1');
  });
  after(() => bus?.stop());

  const launch = (): Service => {
    const child = fork(built('redfish-server.js'), ['--config', configuration], {
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk) => {
        output += chunk;
      });
    }
    const ended = once(child, 'close').then(([status]) => status);
    const ready = new Promise((resolve, reject) => {
      child.on('message', (message: object) => 'ready' in message && resolve(undefined));
      void ended.then(() => reject(new Error(output)));
    });
    ready.catch(() => undefined);
    return { child, output: () => output, ended, ready };
  };
  const setPassword = async () => {
    const file = join(bus.directory, 'password');
    const args = ['set-password', '--config', configuration, '--password-file', file];
    const { status, stderr } = await run(process.execPath, [built('bmc-certs.js'), ...args]);
    assert.equal(status, 0, stderr);
  };

  it('ends with a sentence, without touching them, and one follows when the first was killed', async () => {
    let first = launch();
    await first.ready;
    for (let round = 0; round < rounds; round += 1) {
      const writing = join(state, '.events.json.0123456789ab.new');
      writeFileSync(writing, 'of the first');
      const before = readFileSync(join(state, 'events.json'), 'utf8');
      const second = launch();
      assert.equal(await second.ended, 1);
      assert.match(second.output(), /state directory .* belongs to another Redfish service/);
      assert.equal(readFileSync(join(state, 'events.json'), 'utf8'), before);
      assert.equal(readFileSync(writing, 'utf8'), 'of the first');
      first.child.kill('SIGKILL');
      await first.ended;
      first = launch();
      await first.ready;
      assert.ok(!readdirSync(state).some((name) => name.endsWith('.new')));
    }
    first.child.kill('SIGTERM');
    assert.equal(await first.ended, 0);
    figure('system-faults', 'second Redfish services', rounds);
  });

  it('comes to one that serves and one that ends when both start at once', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const both = [launch(), launch()];
      const serving = await Promise.any(both.map((one) => one.ready.then(() => one)));
      const other = both.find((one) => one !== serving);
      assert.equal(await other?.ended, 1);
      serving.child.kill('SIGTERM');
      assert.equal(await serving.ended, 0);
    }
  });

  it('does not disturb who sets a password, nor is it disturbed', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const service = launch();
      await Promise.all([setPassword(), setPassword(), service.ready]);
      service.child.kill('SIGTERM');
      assert.equal(await service.ended, 0);
    }
    assert.match(readFileSync(join(state, 'accounts', 'accounts.json'), 'utf8'), /"admin"/);
  });
});
