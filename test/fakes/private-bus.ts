import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../e2e/commands.ts';

/** A real dbus-daemon on a socket in a directory of its own, open to every user of the machine. */
export interface PrivateBus {
  readonly address: string;
  /** Removed with the bus; other files of a test may stand in it. */
  readonly directory: string;
  /** Ends the daemon as a crash does. */
  kill(): Promise<void>;
  /** Starts the daemon again at the same address. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * @param socketName may hold characters that an address must escape
 * @param policy a policy file to have, on a bus that is as closed as the system bus
 * @param family `abstract`: the name of Linux that no file has
 */
export async function startPrivateBus(
  socketName = 'bus',
  policy?: string,
  family: 'path' | 'abstract' = 'path',
): Promise<PrivateBus> {
  const { directory, socket, address, configuration, remove } = makeBusDirectory(
    socketName,
    policy,
    family,
  );
  let daemon: ChildProcess | undefined;
  const bus: PrivateBus = {
    address,
    directory,
    async kill() {
      const ending = daemon;
      daemon = undefined;
      if (!ending || ending.exitCode !== null) return;
      const ended = new Promise((resolve) => ending.once('exit', resolve));
      ending.kill('SIGKILL');
      await ended;
    },
    async start() {
      const args = [`--config-file=${configuration}`, '--nofork', '--nopidfile'];
      daemon = spawn('dbus-daemon', args, { stdio: 'ignore' });
      await until('the bus listens', () => canConnect(family === 'path' ? socket : `\0${socket}`));
    },
    async stop() {
      await bus.kill();
      remove();
    },
  };
  await bus.start();
  return bus;
}

/** The directory of a bus with its configuration. */
export function makeBusDirectory(
  socketName: string,
  policy?: string,
  family: 'path' | 'abstract' = 'path',
) {
  const directory = mkdtempSync(join(tmpdir(), 'bmc-bus-'));
  // Users without privileges must reach the socket
  chmodSync(directory, 0o711);
  const socket = join(directory, socketName);
  const address = `unix:${family}=${escaped(socket)}`;
  const configuration = join(directory, 'bus.conf');
  writeFileSync(configuration, busConfiguration(address, policy));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  return { directory, socket, address, configuration, remove };
}

/** D-Bus Specification, "Server Addresses": every other byte is written as % and two digits. */
function escaped(path: string): string {
  return path.replace(/[^\w/.-]/g, (one) => {
    return Buffer.from(one).toString('hex').replace(/../g, '%$&');
  });
}

function canConnect(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function busConfiguration(address: string, policy: string | undefined): string {
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>${address}</listen>
  <auth>EXTERNAL</auth>
  ${policy === undefined ? open : `${closed}\n  <include>${policy}</include>`}
</busconfig>
`;
}

const open = `<policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow receive_sender="*" eavesdrop="true"/>
  </policy>`;

/** What dbus-daemon's own system.conf gives everybody. */
const closed = `<policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
  </policy>`;
