import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { must, type Outcome, run, until } from '../e2e/commands.ts';

/**
 * A device: the file system of this machine below a layer that is thrown away, and on it a systemd, a system
 * bus, users and a loopback network of its own.
 */
export interface Device {
  /** Where its file system is, seen from outside. */
  readonly root: string;
  run(command: string, ...args: string[]): Promise<Outcome>;
  /** @throws when the status is not 0 */
  must(command: string, ...args: string[]): Promise<string>;
  /** Takes the power away; nothing stays. */
  stop(): Promise<void>;
}

/** Why this machine cannot have one; `undefined` when it can. */
export function whyNoDevice(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root may start a container';
  for (const [program, name] of [
    ['/usr/bin/systemd-nspawn', 'systemd-container'],
    [init, 'systemd'],
    ['/usr/bin/dbus-daemon', 'dbus'],
    // Where the units look for it
    ['/usr/bin/node', 'node as /usr/bin/node'],
  ] as const) {
    if (!existsSync(program)) return `${name} is not installed`;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'bmc-device-'));
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', scratch]);
  if (status === 0) spawnSync('umount', [scratch]);
  rmSync(scratch, { recursive: true });
  return status === 0 ? undefined : `mount: ${stderr}`;
}

const init = '/lib/systemd/systemd';

export async function startDevice(): Promise<Device> {
  const scratch = mkdtempSync(join(tmpdir(), 'bmc-device-'));
  const root = join(scratch, 'root');
  await mountLayer(scratch, root);
  preconfigure(root);
  const container = boot(root);
  const stop = async () => {
    await end(container);
    for (const mounted of [root, scratch]) await run('umount', ['--lazy', mounted]);
    rmSync(scratch, { recursive: true, force: true });
  };
  const into = (command: string, args: readonly string[]): [string, string[]] => [
    'nsenter',
    ['--all', '--target', String(initOf(container)), command, ...args],
  ];
  const device: Device = {
    root,
    run: (command, ...args) => run(...into(command, args)),
    must: (command, ...args) => must(...into(command, args)),
    stop,
  };
  try {
    await until('systemd is up', async () => {
      if (initOf(container) === undefined) return false;
      return (await device.run('systemctl', 'is-active', 'basic.target')).status === 0;
    });
    await device.must('systemctl', 'start', 'dbus');
  } catch (error) {
    await stop();
    throw error;
  }
  return device;
}

async function mountLayer(scratch: string, root: string): Promise<void> {
  await must('mount', ['-t', 'tmpfs', '-o', 'size=512m,mode=0755', 'tmpfs', scratch]);
  const [upper, work] = [join(scratch, 'upper'), join(scratch, 'work')];
  for (const directory of [upper, work, root]) mkdirSync(directory);
  const layers = `lowerdir=/,upperdir=${upper},workdir=${work}`;
  await must('mount', ['-t', 'overlay', 'overlay', '-o', layers, root]);
}

/** Nothing of this machine's own services starts, and systemd does not take it for a first boot. */
function preconfigure(root: string): void {
  writeFileSync(join(root, 'etc', 'machine-id'), `${'ab'.repeat(16)}\n`);
  for (const kind of ['multi-user', 'sockets', 'timers']) {
    rmSync(join(root, `etc/systemd/system/${kind}.target.wants`), { recursive: true, force: true });
  }
}

function boot(root: string): ChildProcess {
  const name = `--machine=bmc-${process.pid}`;
  const container = ['--register=no', '--keep-unit', '--link-journal=no', '--private-network'];
  const args = ['--quiet', '-D', root, name, ...container, '--console=pipe', init];
  return spawn('systemd-nspawn', [...args, '--unit=basic.target'], { stdio: 'ignore' });
}

/** The process of systemd, the only child of its container. */
function initOf({ pid }: ChildProcess): number | undefined {
  const path = `/proc/${pid}/task/${pid}/children`;
  const [child] = existsSync(path) ? readFileSync(path, 'utf8').split(' ') : [];
  return child === undefined || child === '' ? undefined : Number(child);
}

async function end(container: ChildProcess): Promise<void> {
  if (container.exitCode !== null) return;
  const ended = new Promise((resolve) => container.once('exit', resolve));
  const pid = initOf(container);
  if (pid === undefined) container.kill('SIGKILL');
  // Every process of a PID namespace ends with its first one
  else process.kill(pid, 'SIGKILL');
  await ended;
}
