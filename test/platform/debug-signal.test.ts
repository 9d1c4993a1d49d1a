import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { background, until } from '../e2e/commands.ts';
import { clone, removeDirectory, temporaryDirectory } from '../e2e/stack.ts';
import { startManager } from '../fakes/manager-process.ts';
import { startPrivateBus } from '../fakes/private-bus.ts';
import { commandOf, familyOf, hasBegun, listeningPorts, survives } from '../fakes/proc.ts';

const sigusr1 = 10;
const program =
  /(start|prepare-start|build)\.mjs|(certificate-manager|redfish-server|csr-worker|bmc-certs)\.js/;
const nameOf = (pid: number) =>
  /^\S*node\b/.test(commandOf(pid)) && program.exec(commandOf(pid))?.[0];

/** Sends SIGUSR1 to every Node process of ours in a family, from when the signal does not end it. */
function storm(root: number) {
  const sent = new Map<string, number>();
  const timer = setInterval(() => {
    for (const pid of familyOf(root)) {
      const name = nameOf(pid);
      if (!name || !hasBegun(pid) || !survives(pid, sigusr1)) continue;
      try {
        process.kill(pid, 'SIGUSR1');
        sent.set(name, (sent.get(name) ?? 0) + 1);
      } catch {
        // it has ended
      }
    }
  }, 2);
  return { sent, end: () => clearInterval(timer) };
}

describe('SIGUSR1', () => {
  const state = temporaryDirectory();
  after(() => removeDirectory(state));

  it('opens no debugger in any process of npm start, from its first moment on', async () => {
    const options = ['--state-dir', state, '--https-port', '0'];
    const stack = background('npm', ['--prefix', clone, 'start', '--', ...options]);
    const { sent, end } = storm(stack.process.pid ?? 0);
    try {
      const ready = await until(
        'ready',
        () => /^ready url=\S+:(\d+) .* bus=(\S+)/m.exec(stack.output()) ?? undefined,
      );
      // The worker lives for as long as an RSA key takes
      const csr = [
        'csr',
        'server/https',
        '--common-name',
        'bmc',
        '--algorithm',
        'RSA',
        '--bits',
        '4096',
      ];
      const command = ['dist/bmc-certs.js', '--bus', ready[2] ?? '', ...csr];
      const making = spawn(process.execPath, command, { cwd: clone, stdio: 'ignore' });
      await until('a worker was told', () => sent.has('csr-worker.js') || making.exitCode !== null);
      making.kill();
      for (const pid of familyOf(stack.process.pid ?? 0).filter(nameOf)) {
        const ports = listeningPorts(pid).filter((port) => port !== Number(ready[1]));
        assert.deepEqual(ports, [], commandOf(pid));
      }
      assert.deepEqual(
        ['start.mjs', 'certificate-manager.js', 'redfish-server.js', 'csr-worker.js'].filter(
          (name) => !sent.has(name),
        ),
        [],
      );
    } finally {
      end();
      await stack.stop();
    }
    assert.doesNotMatch(stack.output(), /Debugger listening/);
  });

  it('opens none in a program that was started without the option', async () => {
    const bus = await startPrivateBus();
    try {
      const manager = await startManager(bus);
      for (let round = 0; round < 20; round += 1) process.kill(manager.pid, 'SIGUSR1');
      await manager.stop();
      assert.doesNotMatch(manager.output(), /Debugger/);
    } finally {
      await bus.stop();
    }
  });

  for (const unit of ['bmc-certificate-manager.service', 'bmc-redfish.service']) {
    it(`finds nowhere to open one from the first moment of ${unit}`, () => {
      const text = readFileSync(join(clone, 'systemd', unit), 'utf8');
      const [, node = '', options = ''] = /^ExecStart=(\S+) (.*?) \/\S+\.js/m.exec(text) ?? [];
      assert.match(node, /\/node$/);
      assert.match(options, /(^| )--inspect-port=192\.0\.2\.1:9229( |$)/);
    });
  }
});
