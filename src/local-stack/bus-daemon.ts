import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from '../core/setup-error.ts';
import { writeRuntimeFile } from '../platform/runtime-file.ts';
import { readRegularFileSync } from '../storage/regular-file.ts';

/** Where a private bus listens, and the file that configures it. */
export interface PrivateBus {
  readonly address: string;
  readonly configurationFile: string;
}

/** sun_path of unix(7), with its final zero. */
const longestSocketPath = 107;

/** Writes the configuration of a bus that only the user of the stack, and root, can connect to. */
export function preparePrivateBus(runtimeDirectory: string): PrivateBus {
  const socket = join(runtimeDirectory, 'bus');
  if (Buffer.byteLength(socket) > longestSocketPath) {
    throw new SetupError(
      `The path ${socket} is too long for a socket; choose a shorter --state-dir.`,
    );
  }
  if (/[^\w/.%+ -]/.test(socket)) {
    throw new SetupError(`The path ${socket} has characters that a D-Bus address cannot have.`);
  }
  const address = `unix:path=${socket.replace(/[^\w/.-]/g, escapeByte)}`;
  const configurationFile = join(runtimeDirectory, 'dbus.conf');
  writeRuntimeFile(configurationFile, busConfiguration(address));
  return { address, configurationFile };
}

/** Ends a daemon that outlived its stack, which was killed. */
export function endOrphan(pidFile: string, configurationFile: string): void {
  try {
    const pid = Number(readRegularFileSync(pidFile));
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    if (command.includes(configurationFile)) process.kill(pid, 'SIGTERM');
  } catch {
    // there is none
  }
}

function escapeByte(character: string): string {
  return `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

function busConfiguration(address: string): string {
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>${address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow receive_sender="*" eavesdrop="true"/>
  </policy>
</busconfig>
`;
}
