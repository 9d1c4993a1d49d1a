import { constants } from 'node:os';
import { CertError } from '../core/cert-error.ts';
import { type Log, makeLog } from '../core/log.ts';
import {
  type AccountAdministration,
  administerAccounts,
} from '../dbus/accounts/account-administration.ts';
import { busAdministration } from '../dbus/client/bus-administration.ts';
import { BusCertificateClient } from '../dbus/client/bus-certificate-client.ts';
import { command, type Options } from './framework/command.ts';
import { CommandError } from './framework/exit-status.ts';
import { visible } from './framework/fields.ts';
import { textValue } from './framework/value-kind.ts';
import { readRemoteOptions, remoteOptions } from './remote/remote-options.ts';
import { remoteRoad } from './remote/remote-road.ts';
import type { Road } from './road.ts';

/** What commands have of the world. */
export interface OperatorContext extends Road {
  /** Address of the bus; empty for the system bus. */
  readonly busAddress: string;
  /** Whether the device is another machine, which is asked over Redfish. */
  readonly isRemote: boolean;
}

/** Declares a command of an operator. */
export const operatorCommand = command<OperatorContext>();

/** Options of every command. */
export const globalOptions = {
  bus: {
    kind: textValue('ADDRESS'),
    about: 'address of the D-Bus of the manager (default: the system bus)',
  },
  ...remoteOptions,
  json: { about: 'print JSON for programs, also for errors' },
  help: { short: 'h', about: 'tell what a command does' },
  version: { about: 'print the version' },
} as const satisfies Options;

/** Long enough for an RSA 4096 key on a small device. */
const requestMilliseconds = 310_000;

/** What went wrong is told once, by the command itself. */
const silent: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** Of the connections of a command, for those who ask for it. */
export function commandLog(): Log {
  return process.env.LOG_LEVEL === undefined ? silent : makeLog('bmc-certs');
}

/** @param options of every command. @throws CommandError `usage` */
export function operatorContext(
  options: Readonly<Record<string, unknown>>,
  environment: NodeJS.ProcessEnv = process.env,
): OperatorContext {
  const busAddress = typeof options.bus === 'string' ? options.bus : '';
  const remote = readRemoteOptions(options, environment);
  if (!remote) return { busAddress, isRemote: false, ...busRoad(busAddress) };
  const road = remoteRoad(remote, (text) => void process.stderr.write(`${visible(text)}\n`));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // The session would stay open; a second signal ends the program at once
    process.once(signal, () => {
      void road.close().finally(() => process.exit(128 + constants.signals[signal]));
    });
  }
  return { busAddress, isRemote: true, ...road };
}

/** For a command that works on the device itself. @throws CommandError `usage` */
export function refuseRemote({ isRemote }: OperatorContext, name: string): void {
  if (!isRemote) return;
  const message = `${name} works on the device itself: run it there, without --url and BMC_CERTS_URL.`;
  throw new CommandError('usage', message);
}

function busRoad(busAddress: string): Road {
  let client: BusCertificateClient | undefined;
  let manager: ReturnType<Road['manager']> | undefined;
  let accounts: Promise<AccountAdministration> | undefined;
  const connect = async () => {
    const log = commandLog();
    client = new BusCertificateClient({ busAddress, requestTimeout: requestMilliseconds, log });
    await client.start();
    if (client.endpoints().length > 0) {
      const administration = busAdministration(client);
      return { client, administration, tellsAll: true, now: Date.now };
    }
    // What may not be asked looks as if it were not there
    if (client.denial) throw client.denial;
    const fault = client.isConnected
      ? 'there is no certificate manager on the bus'
      : `the D-Bus${busAddress === '' ? '' : ` at ${busAddress}`} cannot be reached`;
    throw new CertError('unavailable', fault);
  };
  return {
    manager() {
      manager ??= connect();
      return manager;
    },
    accounts() {
      accounts ??= administerAccounts(busAddress);
      return accounts;
    },
    async close() {
      client?.close();
      (await accounts?.catch(() => undefined))?.close();
    },
  };
}
