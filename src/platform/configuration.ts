import { resolve } from 'node:path';
import { type Configuration, validateConfiguration } from '../../schemas/generated/validators.js';
import { SetupError } from '../core/setup-error.ts';
import { validate } from '../core/validation.ts';
import { cannotBeRead, readRegularFileSync } from '../storage/regular-file.ts';

export type { Configuration };

/** @throws SetupError that names the file and the path of the bad member */
export function readConfiguration(path: string): Configuration {
  return parseConfiguration(readText(path), path);
}

/** @param source what to call the document in a complaint */
export function parseConfiguration(text: string, source: string): Configuration {
  const result = validate(validateConfiguration, parseJson(text, source));
  if (!result.ok) {
    const faults = result.problems.map(
      ({ path, text }) => `${path || 'the document'} ${text}${reasons[path] ?? ''}`,
    );
    throw new SetupError(`The configuration ${source} is not valid: ${faults.join('; ')}.`);
  }
  const configuration = withAbsolutePaths(result.value);
  refuseDuplicates(configuration, source);
  refuseContradictions(configuration, source);
  return configuration;
}

/** Why a value is not allowed, where that is not plain. */
const reasons: Readonly<Record<string, string>> = {
  '/selfSigned/curve': ' (web browsers refuse secp521r1)',
};

/** The limits of what is read; a file may hold all certificates that an endpoint may have, and some more. */
export function contentLimitsOf({
  limits: { content, authorities, chainCertificates },
  endpoints,
}: Configuration): Configuration['limits']['content'] {
  const max = endpoints.map(({ maxCertificates = 0 }) => maxCertificates);
  const blocks = Math.max(authorities, chainCertificates, ...max) + content.keys;
  return { ...content, blocks: Math.max(content.blocks, blocks) };
}

function readText(path: string): string {
  try {
    return readRegularFileSync(path);
  } catch (cause) {
    throw cannotBeRead(`The configuration ${path}`, cause);
  }
}

function parseJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    // The rest of the message quotes the document
    const position = /position \d+/.exec(String(cause))?.[0];
    const where = position === undefined ? '' : ` at ${position}`;
    throw new SetupError(`The configuration ${source} is not JSON${where}.`, { cause });
  }
}

function refuseDuplicates({ endpoints }: Configuration, source: string): void {
  const seen = new Map<string, number>();
  for (const [at, { type, name, alias, path }] of endpoints.entries()) {
    const names = alias === undefined ? [name] : [name, alias];
    // Only the first letter of a bus name is raised, so names that differ in its case would collide
    const keys = [
      ...names.map((one) => `${type}/${one.slice(0, 1).toLowerCase()}${one.slice(1)}`),
      path,
    ];
    for (const key of keys) {
      const other = seen.get(key);
      if (other !== undefined) {
        throw new SetupError(
          `The configuration ${source} is not valid: /endpoints/${at} and /endpoints/${other} share ${key}.`,
        );
      }
      seen.set(key, at);
    }
  }
}

/** AccountService has the same rules; 0 seconds lock nothing. */
function refuseContradictions({ users }: Configuration, source: string): void {
  if (users.source === 'bus' && users.passwordHelper === undefined) {
    throw new SetupError(
      `The configuration ${source} is not valid: /users/passwordHelper is missing; with /users/source bus a helper checks the passwords.`,
    );
  }
  const { minPasswordLength, maxPasswordLength, lockoutSeconds, lockoutResetSeconds } =
    users.policy;
  const refuse = (one: string, other: string) => {
    const members = `/users/policy/${one} is above /users/policy/${other}`;
    throw new SetupError(`The configuration ${source} is not valid: ${members}.`);
  };
  if (minPasswordLength > maxPasswordLength) {
    refuse(`minPasswordLength ${minPasswordLength}`, `maxPasswordLength ${maxPasswordLength}`);
  }
  if (lockoutSeconds > 0 && lockoutResetSeconds > lockoutSeconds) {
    refuse(`lockoutResetSeconds ${lockoutResetSeconds}`, `lockoutSeconds ${lockoutSeconds}`);
  }
}

/** Files begin at the state directory and pid files at the runtime directory. */
function withAbsolutePaths(configuration: Configuration): Configuration {
  const stateDirectory = resolve(configuration.stateDirectory);
  const runtimeDirectory = resolve(stateDirectory, configuration.runtimeDirectory);
  const endpoints = configuration.endpoints.map((endpoint) => ({
    ...endpoint,
    path: resolve(stateDirectory, endpoint.path),
    reload: endpoint.reload.map(({ unit, pidFile }) => ({
      ...(unit !== undefined && { unit }),
      ...(pidFile !== undefined && { pidFile: resolve(runtimeDirectory, pidFile) }),
    })),
  }));
  const { directory } = configuration.redfish.webUi;
  const webUi = {
    ...configuration.redfish.webUi,
    ...(directory !== undefined && { directory: resolve(stateDirectory, directory) }),
  };
  const redfish = { ...configuration.redfish, webUi };
  return { ...configuration, stateDirectory, runtimeDirectory, endpoints, redfish };
}
