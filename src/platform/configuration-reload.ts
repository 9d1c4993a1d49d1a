import { isDeepStrictEqual } from 'node:util';
import restartSettings from '../../schemas/generated/restart-settings.json' with { type: 'json' };
import { reasonOf } from '../core/cert-error.ts';
import type { Log } from '../core/log.ts';
import {
  type Configuration,
  type ConfigurationText,
  parseConfiguration,
  readConfigurationText,
} from './configuration.ts';

/** A program that reads its configuration again while it runs. */
export type ReloadingProgram =
  | 'certificate-manager'
  | 'account-manager'
  | 'redfish-server'
  | 'cmp-agent'
  | 'gnoi-server'
  | 'bundle-updater'
  | 'netconf-server';

export interface FollowedConfiguration {
  readonly program: ReloadingProgram;
  readonly file: string;
  /** What the program was started with. */
  readonly from: ConfigurationText;
  readonly configuration: Configuration;
  readonly log: Log;
}

/**
 * Finds a configuration good for the program, and changes nothing.
 * @returns what puts the configuration in force. @throws why the configuration cannot be in force
 */
export type PrepareConfiguration = (
  next: Configuration,
  from: ConfigurationText,
) => Promise<() => Promise<void>>;

/**
 * @returns what reads the file again and never rejects. A bad file changes nothing at all; a file with the text of the
 *   configuration that is in force costs no more than its reading
 */
export function followConfiguration(
  { program, file, from, configuration, log }: FollowedConfiguration,
  prepare: PrepareConfiguration,
): () => Promise<void> {
  let inForce: { readonly text?: string; readonly configuration: Configuration };
  inForce = { text: from.text, configuration };
  return async () => {
    let apply: () => Promise<void>;
    let next: typeof inForce;
    let kept: readonly string[];
    try {
      const text = readConfigurationText(file);
      if (text === inForce.text) return;
      const asked = parseConfiguration(text, file);
      const merged = keepRestartSettings(program, inForce.configuration, asked);
      kept = merged.kept;
      next = { text, configuration: merged.configuration };
      apply = await prepare(next.configuration, { text, source: file });
    } catch (error) {
      log.error('configuration refused, the old one stays', { file, reason: reasonOf(error) });
      return;
    }
    try {
      await apply();
      inForce = next;
      log.info('configuration read again', { file });
    } catch (error) {
      // Neither text is that of what is in force: the old one, too, puts things right
      inForce = { configuration: next.configuration };
      log.error('configuration not wholly in force', { file, reason: reasonOf(error) });
    }
    if (kept.length === 0) return;
    log.warn('settings count after a restart', { settings: kept.join(' ') });
  };
}

/** @returns the new configuration with the old values of what needs a restart of the program, and the paths of these */
export function keepRestartSettings(
  program: ReloadingProgram,
  running: Configuration,
  asked: Configuration,
): { readonly configuration: Configuration; readonly kept: readonly string[] } {
  const configuration = structuredClone(asked);
  const kept = Object.entries(restartSettings)
    .filter(([, programs]) => programs.includes(program))
    .map(([path]) => path)
    .filter((path) => !isDeepStrictEqual(valueAt(running, path), valueAt(asked, path)));
  for (const path of kept) {
    const at = path.lastIndexOf('/');
    const parent = valueAt(configuration, path.slice(0, at));
    const value = valueAt(running, path);
    const name = path.slice(at + 1);
    if (value === undefined) Reflect.deleteProperty(Object(parent), name);
    else Reflect.set(Object(parent), name, value);
  }
  return { configuration, kept };
}

function valueAt(document: unknown, path: string): unknown {
  const names = path.split('/').slice(1);
  return names.reduce((value, name) => Reflect.get(Object(value), name), document);
}
