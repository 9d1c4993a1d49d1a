import { CertError } from '../core/cert-error.ts';
import { type Log, makeLog } from '../core/log.ts';
import { busAdministration } from '../dbus/client/bus-administration.ts';
import { BusCertificateClient } from '../dbus/client/bus-certificate-client.ts';
import type { Administration } from '../manager/administration.ts';
import type { CertificateClient } from '../manager/certificate-client.ts';
import { command, type Options } from './framework/command.ts';
import { textValue } from './framework/value-kind.ts';

/** The manager of this device, reached. */
export interface Manager {
  readonly client: CertificateClient;
  readonly administration: Administration;
}

/** What commands have of the world. */
export interface OperatorContext {
  /** Address of the bus; empty for the system bus. */
  readonly busAddress: string;
  /** Connects when it is asked first. @throws CertError `unavailable`, and why the bus or the manager said no */
  manager(): Promise<Manager>;
}

/** Declares a command of an operator. */
export const operatorCommand = command<OperatorContext>();

/** Options of every command. */
export const globalOptions = {
  bus: {
    kind: textValue('ADDRESS'),
    about: 'address of the D-Bus of the manager (default: the system bus)',
  },
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

/** @param options of every command */
export function operatorContext(
  options: Readonly<Record<string, unknown>>,
): OperatorContext & { close(): void } {
  const busAddress = typeof options.bus === 'string' ? options.bus : '';
  let client: BusCertificateClient | undefined;
  let manager: Promise<Manager> | undefined;
  const connect = async (): Promise<Manager> => {
    const log = process.env.LOG_LEVEL === undefined ? silent : makeLog('bmc-certs');
    client = new BusCertificateClient({ busAddress, requestTimeout: requestMilliseconds, log });
    await client.start();
    if (client.endpoints().length > 0) return { client, administration: busAdministration(client) };
    // What may not be asked looks as if it were not there
    if (client.denial) throw client.denial;
    const fault = client.isConnected
      ? 'there is no certificate manager on the bus'
      : `the D-Bus${busAddress === '' ? '' : ` at ${busAddress}`} cannot be reached`;
    throw new CertError('unavailable', fault);
  };
  return {
    busAddress,
    manager() {
      manager ??= connect();
      return manager;
    },
    close: () => client?.close(),
  };
}
