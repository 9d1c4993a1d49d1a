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

/** All programs run as the same user here. */
const ofRedfish = { address: '127.0.0.1', port: 8443, directory: '.' };

/** The configuration of the stack's programs, as a document that is written for them. */
export interface StackConfiguration {
  readonly path: string;
  readonly parsed: Configuration;
  /** Writes it, perhaps with the ports that the system chose: by the members of the configuration. */
  write(ports?: ReadonlyMap<string, number>): Promise<void>;
}

/** @throws SetupError that names the file and the bad member */
export function makeConfiguration(options: StackOptions, bus: string): StackConfiguration {
  const source = options.configurationFile ?? 'of the local stack';
  const text =
    options.configurationFile === undefined
      ? '{}'
      : readConfigurationText(options.configurationFile);
  const given = objectOf(text, source);
  const document = documentOf(options, given, bus);
  const path = join(options.stateDirectory, 'configuration.json');
  return {
    path,
    parsed: checkConfiguration(document, { text, source }),
    async write(ports = new Map()) {
      const bound = [...ports].map(([member, port]) => {
        return [member, withMembers(document[member], {}, { port })];
      });
      const final = { ...document, ...Object.fromEntries(bound) };
      await writeFileAtomic(path, `${JSON.stringify(final, null, 2)}\n`, ownerOnly).catch(
        (cause: unknown) => {
          throw cannotBeWritten(path, cause);
        },
      );
    },
  };
}

function documentOf(
  { edges, host, port, stateDirectory }: StackOptions,
  given: Readonly<Record<string, unknown>>,
  bus: string,
): Readonly<Record<string, unknown>> {
  const services = servicesOf(edges, given.services);
  const place = (asked: number | undefined) => ({
    ...(host !== undefined && { address: host }),
    ...(asked !== undefined && { port: asked }),
  });
  const members = edges.map(({ member, defaults, listens, port: asked }) => {
    return [member, withMembers(given[member], defaults, listens ? place(asked) : {})];
  });
  return {
    endpoints: [...endpoints, ...edges.flatMap((edge) => edge.endpoints)],
    ...given,
    ...(services !== undefined && { services }),
    stateDirectory,
    runtimeDirectory: join(stateDirectory, 'run'),
    bus,
    redfish: withMembers(given.redfish, ofRedfish, place(port)),
    ...Object.fromEntries(members),
  };
}

/** An edge does not start without its service, also where the configuration names others. */
function servicesOf(edges: StackOptions['edges'], given?: unknown): unknown {
  const ofEdges = edges.flatMap((edge) => edge.services);
  if (ofEdges.length === 0) return given;
  if (given === undefined) return ofEdges;
  // What is no list is left for the validator to name
  if (!Array.isArray(given)) return given;
  const names = given.map((one: unknown) => (isObject(one) ? one.name : undefined));
  return [...ofEdges.filter(({ name }) => !names.includes(name)), ...given];
}

/** Members of the configuration with defaults and what was asked for; what is no object is left for the validator to name. */
function withMembers(
  given: unknown = {},
  defaults: Readonly<Record<string, unknown>>,
  asked: Readonly<Record<string, unknown>>,
): unknown {
  return isObject(given) ? { ...defaults, ...given, ...asked } : given;
}

function objectOf(text: string, source: string): Record<string, unknown> {
  const value = parseJson({ text, source });
  if (isObject(value)) return value;
  throw new SetupError(`The configuration ${source} is not a JSON object.`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
