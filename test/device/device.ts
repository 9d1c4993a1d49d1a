import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { maxMilliseconds, must, type Outcome, run, until } from '../e2e/commands.ts';

/**
 * A device: the file system of this machine, or of another Debian, below a layer that is thrown away, and on it a systemd, a system
 * bus, users and a loopback network of its own.
 */
export interface Device {
  /** Where its file system is, seen from outside. */
  readonly root: string;
  run(command: string, ...args: string[]): Promise<Outcome>;
  /** @throws when the status is not 0 */
  must(command: string, ...args: string[]): Promise<string>;
  /** Its first process, as this machine counts them: what is mounted on the device is below `/proc/<id>/root`. */
  readonly init: number;
  /** The beginning of a command line that runs a program of this machine in the network of the device. */
  readonly network: readonly string[];
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
  return whyNoContainer();
}

/** Tries one for a moment: not every machine lets root mount layers and start containers. */
function whyNoContainer(): string | undefined {
  const scratch = mkdtempSync(join(tmpdir(), 'bmc-device-'));
  const root = join(scratch, 'root');
  try {
    mountLayer('/', scratch, root);
    runSwitchedOff(root, '/bin/true');
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    unmount(scratch, root);
  }
}

const init = '/lib/systemd/systemd';

/**
 * @param system the root of another Debian than this machine
 * @param prepare changes its file system before it is switched on
 */
export async function startDevice(
  system = '/',
  prepare: (root: string) => void = () => undefined,
): Promise<Device> {
  const scratch = mkdtempSync(join(tmpdir(), 'bmc-device-'));
  const root = join(scratch, 'root');
  mountLayer(system, scratch, root);
  preconfigure(root);
  try {
    prepare(root);
  } catch (error) {
    unmount(scratch, root);
    throw error;
  }
  const container = boot(root);
  const stop = async () => {
    await end(container);
    unmount(scratch, root);
  };
  const into = (command: string, args: readonly string[]): [string, string[]] => [
    'nsenter',
    ['--all', '--target', String(initOf(container)), command, ...args],
  ];
  const device: Device = {
    root,
    run: (command, ...args) => run(...into(command, args)),
    must: (command, ...args) => must(...into(command, args)),
    get init() {
      return Number(initOf(container));
    },
    get network() {
      return ['nsenter', '--net', '--target', String(initOf(container))];
    },
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

/** Runs a program in the file system of a device that is switched off. @throws what it wrote, when its status is not 0 */
export function runSwitchedOff(root: string, ...command: readonly string[]): void {
  mustSync('systemd-nspawn', [...containerArguments(root), '--pipe', ...command]);
}

function mountLayer(system: string, scratch: string, root: string): void {
  mustSync('mount', ['-t', 'tmpfs', '-o', 'size=512m,mode=0755', 'tmpfs', scratch]);
  const [upper, work] = [join(scratch, 'upper'), join(scratch, 'work')];
  for (const directory of [upper, work, root]) mkdirSync(directory);
  const layers = `lowerdir=${system},upperdir=${upper},workdir=${work}`;
  mustSync('mount', ['-t', 'overlay', 'overlay', '-o', layers, root]);
}

function unmount(scratch: string, root: string): void {
  for (const mounted of [root, scratch]) spawnSync('umount', ['--lazy', mounted]);
  rmSync(scratch, { recursive: true, force: true });
}

function mustSync(command: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { timeout: maxMilliseconds });
  if (status !== 0) throw new Error(`${command}: ${error?.message ?? String(stderr).trim()}`);
}

/** Nothing of this machine's own services starts, and systemd does not take it for a first boot. */
function preconfigure(root: string): void {
  writeFileSync(join(root, 'etc', 'machine-id'), `${'ab'.repeat(16)}\n`);
  for (const kind of ['multi-user', 'sockets', 'timers']) {
    rmSync(join(root, `etc/systemd/system/${kind}.target.wants`), { recursive: true, force: true });
  }
  // An image for containers keeps packages from starting their services
  rmSync(join(root, 'usr/sbin/policy-rc.d'), { force: true });
}

function containerArguments(root: string): string[] {
  const apart = ['--register=no', '--keep-unit', '--link-journal=no', '--private-network'];
  return ['--quiet', '-D', root, `--machine=bmc-${process.pid}`, ...apart];
}

function boot(root: string): ChildProcess {
  const program = ['--console=pipe', init, '--unit=basic.target'];
  return spawn('systemd-nspawn', [...containerArguments(root), ...program], { stdio: 'ignore' });
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
