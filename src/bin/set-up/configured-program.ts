import { parseArgs } from 'node:util';
import { type Log, makeLog } from '../../core/log.ts';
import { SetupError } from '../../core/setup-error.ts';
import {
  type Configuration,
  type ConfigurationText,
  inText,
  parseConfiguration,
  readConfigurationText,
} from '../../platform/configuration.ts';
import { followConfiguration, type ReloadingProgram } from '../../platform/configuration-reload.ts';
import { announceReady, runProgram } from '../../platform/process-life.ts';
import { tellServiceManager } from '../../platform/service-manager.ts';

export interface CommandLine {
  readonly from: ConfigurationText;
  /** The file that is read again at SIGHUP; absent where the options are all that there is. */
  readonly file?: string;
  /** Nothing but a look whether the configuration is valid. */
  readonly check: boolean;
}

export const configurationOptions = {
  config: { type: 'string' },
  check: { type: 'boolean', default: false },
} as const;

/** @throws SetupError when the file cannot be read */
export function commandLineOf(file: string, check: boolean): CommandLine {
  return { from: { source: file, text: readConfigurationText(file) }, file, check };
}

/** `--config FILE` and `--check`. */
function readCommandLine(): CommandLine {
  const { config: file, check } = parseArgs({ options: configurationOptions }).values;
  if (file === undefined) throw new SetupError('Give --config FILE.');
  return commandLineOf(file, check);
}

/** A program that serves. */
export interface Serving<Settings> {
  /** What is told to the program that started it. */
  readonly details: Readonly<Record<string, string | number>>;
  /** Finds settings good, and changes nothing. @returns what puts them in force. @throws why they cannot be */
  prepare(next: Settings): Promise<() => Promise<void>>;
  stop(): Promise<void>;
}

export interface ConfiguredProgram<Settings> {
  readonly program: ReloadingProgram;
  readonly readCommandLine?: () => CommandLine;
  /** What the program makes of a configuration. @throws InvalidMember for what only the program can find wrong */
  settings(configuration: Configuration, log: Log): Settings;
  start(settings: Settings, log: Log, fail: (error: Error) => void): Promise<Serving<Settings>>;
}

/** Runs a program by its configuration, which is read again at SIGHUP. */
export async function runConfigured<Settings>(about: ConfiguredProgram<Settings>): Promise<void> {
  const { program } = about;
  const log = makeLog(program);
  await runProgram(log, async (fail, onReload) => {
    const { from, file, check } = (about.readCommandLine ?? readCommandLine)();
    const configuration = parseConfiguration(from.text, from.source);
    const first = await inText(from, async () => about.settings(configuration, log));
    if (check) process.exit(0);
    const serving = await inText(from, () => about.start(first, log, fail));
    if (file !== undefined) {
      const followed = { program, file, from, configuration, log };
      const reload = followConfiguration(followed, (next, text) =>
        inText(text, async () => serving.prepare(about.settings(next, log))),
      );
      onReload(reload);
    }
    announceReady(serving.details);
    tellServiceManager(log);
    return () => serving.stop();
  });
}
