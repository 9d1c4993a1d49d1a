import { join } from 'node:path';
import { SetupError } from '../core/setup-error.ts';
import {
  type Configuration,
  checkConfiguration,
  parseJson,
  readConfigurationText,
} from '../platform/configuration.ts';
import { cannotBeWritten } from '../platform/runtime-file.ts';
import { writeFileAtomic } from '../storage/atomic-file.ts';
import { ownerOnly } from '../storage/file-mode.ts';
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
  const source = options.configurationFile ?? 'of the local stack';
  const text =
    options.configurationFile === undefined
      ? '{}'
      : readConfigurationText(options.configurationFile);
  const given = objectOf(text, source);
  const redfish = {
    address: '127.0.0.1',
    port: 8443,
    // All programs run as the same user here
    directory: '.',
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
  const path = join(options.stateDirectory, 'configuration.json');
  return {
    path,
    parsed: checkConfiguration(document, { text, source }),
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

function objectOf(text: string, source: string): Record<string, unknown> {
  const value = parseJson({ text, source });
  if (isObject(value)) return value;
  throw new SetupError(`The configuration ${source} is not a JSON object.`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
