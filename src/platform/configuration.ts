import { join, resolve } from 'node:path';
import {
  type Configuration as ConfigurationDocument,
  validateConfiguration,
} from '../../schemas/generated/validators.js';
import { jsonPlaces, type Place } from '../core/json-places.ts';
import { didYouMean } from '../core/likely-name.ts';
import { SetupError } from '../core/setup-error.ts';
import { type Problem, validate } from '../core/validation.ts';
import { cannotBeRead, readRegularFileSync } from '../storage/regular-file.ts';
import { InvalidMember } from './invalid-member.ts';

/** A configuration with every default filled in, and with absolute paths. */
export interface Configuration extends Omit<ConfigurationDocument, 'endpoints' | 'services'> {
  readonly endpoints: readonly (ConfigurationDocument['endpoints'][number] & {
    readonly path: string;
  })[];
  readonly services: readonly (ConfigurationDocument['services'][number] & {
    readonly file: string;
  })[];
}

/** What a configuration is read from. */
export interface ConfigurationText {
  /** What to call it in a complaint, such as the path of its file. */
  readonly source: string;
  readonly text: string;
}

/** @throws SetupError that names the file, and line, column and path of the bad member */
export function readConfiguration(path: string): Configuration {
  return parseConfiguration(readConfigurationText(path), path);
}

/** @throws SetupError that names the file */
export function readConfigurationText(path: string): string {
  try {
    // RFC 8259 §8.1: it may be ignored, and editors of Windows put one
    return readRegularFileSync(path).replace(/^\uFEFF/, '');
  } catch (cause) {
    throw cannotBeRead(`The configuration ${path}`, cause);
  }
}

/** @param source what to call the document in a complaint. @throws SetupError as `readConfiguration` */
export function parseConfiguration(text: string, source: string): Configuration {
  const from = { text, source };
  return checkConfiguration(parseJson(from), from);
}

/** @param from the text that the document was made of. @throws SetupError as `readConfiguration` */
export function checkConfiguration(document: unknown, from: ConfigurationText): Configuration {
  // The validator writes defaults into what it is given
  const result = validate(validateConfiguration, structuredClone(document));
  if (!result.ok) {
    throw invalid(
      from,
      result.problems.map((problem) => [problem.path, faultOf(problem)]),
    );
  }
  const configuration = withAbsolutePaths(result.value);
  try {
    refuseDuplicates(configuration);
    refuseContradictions(configuration);
  } catch (error) {
    throw placed(error, from);
  }
  return configuration;
}

/** Does what may find an InvalidMember. @throws SetupError in its place, with line and column */
export async function inText<T>(from: ConfigurationText, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw placed(error, from);
  }
}

function placed(error: unknown, from: ConfigurationText): unknown {
  return error instanceof InvalidMember ? invalid(from, [[error.path, error.fault]]) : error;
}

/** @throws SetupError that names line, column and member where the text is no JSON any more */
export function parseJson({ text, source }: ConfigurationText): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    // Its message quotes the document
    const { fault } = jsonPlaces(text);
    const member = fault?.pointer ? `, in ${fault.pointer}` : '';
    const where = fault && ` from ${shown(fault)} on${member}: there must be ${fault.expected}`;
    throw new SetupError(`The configuration ${source} is not JSON${where ?? ''}.`, { cause });
  }
}

/** @param faults paths of members with what is wrong with them; they are said in the order of the text */
function invalid(
  { source, text }: ConfigurationText,
  faults: readonly (readonly [path: string, fault: string])[],
): SetupError {
  const places = jsonPlaces(text);
  const sentences = faults
    .map(([path, fault]) => ({ place: places.of(path), path, fault }))
    .sort(({ place: a }, { place: b }) => a.line - b.line || a.column - b.column)
    .map(({ place, path, fault }) => `${path || 'the document'} (${shown(place)}) ${fault}`);
  return new SetupError(`The configuration ${source} is not valid: ${sentences.join('; ')}.`);
}

function shown({ line, column }: Place): string {
  return `line ${line}, column ${column}`;
}

function faultOf({ path, text, known }: Problem): string {
  const meant = didYouMean(path.slice(path.lastIndexOf('/') + 1), known);
  return `${text}${reasons[path] ?? ''}${meant && ` (${meant})`}`;
}

/** Why a value is not allowed, where that is not plain. */
const reasons: Readonly<Record<string, string>> = {
  '/selfSigned/curve': ' (web browsers refuse secp521r1)',
};

/**
 * The limits of what is read; a file may hold all certificates that an endpoint may have, and some more.
 * @param authorities the most certificates of a truststore
 */
export function contentLimitsOf(
  { limits: { content, chainCertificates, ...limits } }: Pick<Configuration, 'limits'>,
  authorities = limits.authorities,
): Configuration['limits']['content'] {
  const blocks = Math.max(authorities, chainCertificates) + content.keys;
  return { ...content, blocks: Math.max(content.blocks, blocks) };
}

function refuseDuplicates({ endpoints, services }: Configuration): void {
  const seen = new Map<string, string>();
  const note = (place: string, keys: readonly string[]) => {
    for (const key of keys) {
      const other = seen.get(key);
      if (other !== undefined) throw new InvalidMember(place, `and ${other} share ${key}`);
      seen.set(key, place);
    }
  };
  for (const [at, { type, name, alias, path }] of endpoints.entries()) {
    const names = alias === undefined ? [name] : [name, alias];
    // Only the first letter of a bus name is raised, so names that differ in its case would collide
    const keys = [
      ...names.map((one) => `${type}/${one.slice(0, 1).toLowerCase()}${one.slice(1)}`),
      path,
    ];
    note(`/endpoints/${at}`, keys);
  }
  for (const [at, { name, file }] of services.entries())
    note(`/services/${at}`, [`the name ${name}`, file]);
}

/** AccountService has the same rules; 0 seconds lock nothing. */
function refuseContradictions({ users }: Configuration): void {
  if (users.source === 'bus' && users.passwordHelper === undefined) {
    const fault = 'is missing; with /users/source bus a helper checks the passwords';
    throw new InvalidMember('/users/passwordHelper', fault);
  }
  const { minPasswordLength, maxPasswordLength, lockoutSeconds, lockoutResetSeconds } =
    users.policy;
  const refuse = (name: string, value: number, limit: string) => {
    const fault = `is ${value} and above /users/policy/${limit}`;
    throw new InvalidMember(`/users/policy/${name}`, fault);
  };
  if (minPasswordLength > maxPasswordLength) {
    refuse('minPasswordLength', minPasswordLength, `maxPasswordLength ${maxPasswordLength}`);
  }
  if (lockoutSeconds > 0 && lockoutResetSeconds > lockoutSeconds) {
    refuse('lockoutResetSeconds', lockoutResetSeconds, `lockoutSeconds ${lockoutSeconds}`);
  }
}

/** Files begin at the state directory and pid files at the runtime directory. */
function withAbsolutePaths(configuration: ConfigurationDocument): Configuration {
  const stateDirectory = resolve(configuration.stateDirectory);
  const runtimeDirectory = resolve(stateDirectory, configuration.runtimeDirectory);
  const endpoints = configuration.endpoints.map((endpoint) => ({
    ...endpoint,
    path: resolve(stateDirectory, endpoint.path ?? defaultPath(endpoint)),
    reload: reloadIn(runtimeDirectory, endpoint.reload),
  }));
  const services = configuration.services.map((service) => ({
    ...service,
    file: resolve(stateDirectory, service.file ?? defaultServiceFile(service)),
    reload: reloadIn(runtimeDirectory, service.reload),
  }));
  const runTimeEndpoints = {
    ...configuration.runTimeEndpoints,
    directory: resolve(stateDirectory, configuration.runTimeEndpoints.directory),
  };
  const { directory } = configuration.redfish.webUi;
  const webUi = {
    ...configuration.redfish.webUi,
    ...(directory !== undefined && { directory: resolve(stateDirectory, directory) }),
  };
  const ofRedfish = resolve(stateDirectory, configuration.redfish.directory);
  const redfish = { ...configuration.redfish, webUi, directory: ofRedfish };
  const ofAccounts = resolve(stateDirectory, configuration.users.directory);
  const users = { ...configuration.users, directory: ofAccounts };
  const { textfile } = configuration.metrics;
  const metrics = {
    ...configuration.metrics,
    ...(textfile !== undefined && { textfile: resolve(stateDirectory, textfile) }),
  };
  const authorities = configuration.enrolment.authorities.map((authority) => ({
    ...authority,
    keyList: authority.keyList.map(({ reference, passwordFile }) => ({
      reference,
      passwordFile: resolve(stateDirectory, passwordFile),
    })),
  }));
  const ofEnrolment = resolve(stateDirectory, configuration.enrolment.directory);
  const enrolment = { ...configuration.enrolment, directory: ofEnrolment, authorities };
  const ofGnoi = resolve(stateDirectory, configuration.gnoi.directory);
  const gnoi = { ...configuration.gnoi, directory: ofGnoi };
  const ofNetconf = resolve(stateDirectory, configuration.netconf.directory);
  const netconf = { ...configuration.netconf, directory: ofNetconf };
  const { trustBundles: bundles } = configuration;
  const trustBundles = {
    ...bundles,
    directory: resolve(stateDirectory, bundles.directory),
    bundles: bundles.bundles.map(({ pinnedRoots, ...bundle }) => ({
      ...bundle,
      ...(pinnedRoots !== undefined && { pinnedRoots: resolve(stateDirectory, pinnedRoots) }),
    })),
  };
  const edges = { redfish, enrolment, gnoi, trustBundles, netconf };
  const paths = { stateDirectory, runtimeDirectory };
  const ofEndpoints = { endpoints, services, runTimeEndpoints };
  return { ...configuration, ...paths, ...ofEndpoints, metrics, users, ...edges };
}

function reloadIn(
  runtimeDirectory: string,
  reload: ConfigurationDocument['endpoints'][number]['reload'],
): ConfigurationDocument['endpoints'][number]['reload'] {
  return reload.map(({ unit, pidFile }) => ({
    ...(unit !== undefined && { unit }),
    ...(pidFile !== undefined && { pidFile: resolve(runtimeDirectory, pidFile) }),
  }));
}

function defaultServiceFile({ name, endpoint }: ConfigurationDocument['services'][number]): string {
  const file = endpoint?.type === 'authority' ? 'authorities.pem' : 'credential.pem';
  return join('services', name, file);
}

/** Each endpoint has a directory of its own, which the group that reads its files may enter. */
function defaultPath({ type, name }: ConfigurationDocument['endpoints'][number]): string {
  const file = type === 'authority' ? 'authorities' : `${type}.pem`;
  return join('endpoints', `${type}-${name}`, file);
}
