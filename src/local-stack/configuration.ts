import { join } from 'node:path';
import { SetupError } from '../core/setup-error.ts';
import { type Configuration, parseConfiguration } from '../platform/configuration.ts';
import { cannotBeWritten } from '../platform/runtime-file.ts';
import { writeFileAtomic } from '../storage/atomic-file.ts';
import { ownerOnly } from '../storage/file-mode.ts';
import { cannotBeRead, readRegularFileSync } from '../storage/regular-file.ts';
import type { StackOptions } from './options.ts';

/** The endpoints of OpenBMC and the list of revoked certificates, with all of their files below the state directory. */
const endpoints = [
  { type: 'server', name: 'https', path: 'https/server.pem', reload: [{ pidFile: 'redfish.pid' }] },
  { type: 'client', name: 'ldap', path: 'ldap/cert.pem', reload: [] },
  {
    type: 'authority',
    name: 'truststore',
    path: 'authority',
    reload: [{ pidFile: 'redfish.pid' }],
  },
  {
    type: 'authority',
    name: 'revoked',
    path: 'revoked',
    reload: [],
    requireCa: false,
    maxCertificates: 1000,
    // The web UI would show them without a label among the certificates of the device
    inCertificateLocations: false,
  },
];

/** The configuration of the stack's programs, as a document that is written for them. */
export interface StackConfiguration {
  readonly path: string;
  readonly parsed: Configuration;
  /** Writes it, perhaps with the port that the system chose. */
  write(port?: number): Promise<void>;
}

/** @throws SetupError that names the file and the bad member */
export function makeConfiguration(options: StackOptions, bus: string): StackConfiguration {
  const given =
    options.configurationFile === undefined ? {} : readObject(options.configurationFile);
  const redfish = {
    address: '127.0.0.1',
    port: 8443,
    ...(isObject(given.redfish) && given.redfish),
    ...(options.host !== undefined && { address: options.host }),
    ...(options.port !== undefined && { port: options.port }),
  };
  const document = {
    endpoints,
    ...given,
    stateDirectory: options.stateDirectory,
    runtimeDirectory: join(options.stateDirectory, 'run'),
    bus,
    // What is no object is left for the validator to name
    redfish: given.redfish === undefined || isObject(given.redfish) ? redfish : given.redfish,
  };
  const source = options.configurationFile ?? 'of the local stack';
  const path = join(options.stateDirectory, 'configuration.json');
  return {
    path,
    parsed: parseConfiguration(JSON.stringify(document), source),
    async write(port) {
      const final = port === undefined ? document : { ...document, redfish: { ...redfish, port } };
      await writeFileAtomic(path, `${JSON.stringify(final, null, 2)}\n`, ownerOnly).catch(
        (cause: unknown) => {
          throw cannotBeWritten(path, cause);
        },
      );
    },
  };
}

function readObject(path: string): Record<string, unknown> {
  let text: string;
  try {
    text = readRegularFileSync(path);
  } catch (cause) {
    throw cannotBeRead(`The configuration ${path}`, cause);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new SetupError(`The configuration ${path} is not JSON.`, { cause });
  }
  if (isObject(value)) return value;
  throw new SetupError(`The configuration ${path} is not a JSON object.`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
