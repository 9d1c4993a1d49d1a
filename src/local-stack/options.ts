import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { SetupError } from '../core/setup-error.ts';

/** What the operator asks of the local stack; what is absent comes from the configuration. */
export interface StackOptions {
  readonly stateDirectory: string;
  readonly port: number | undefined;
  readonly host: string | undefined;
  readonly passwordFile: string | undefined;
  readonly configurationFile: string | undefined;
  /** Address of a bus that runs already; without it the stack has a private one. */
  readonly bus: string | undefined;
}

/** @throws SetupError for an option that is unknown or has no usable value */
export function parseStackOptions(args: readonly string[], defaultState: string): StackOptions {
  const values = parse(args);
  return {
    stateDirectory: resolve(values['state-dir'] ?? defaultState),
    port: values['https-port'] === undefined ? undefined : parsePort(values['https-port']),
    host: values.host,
    passwordFile: values['password-file'],
    configurationFile: values.config,
    bus: values.bus,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        'state-dir': { type: 'string' },
        'https-port': { type: 'string' },
        host: { type: 'string' },
        'password-file': { type: 'string' },
        config: { type: 'string' },
        bus: { type: 'string' },
      },
    }).values;
  } catch (cause) {
    // Advice for an ambiguous argument follows on further lines
    const [reason] = cause instanceof Error ? cause.message.split('\n') : [];
    throw new SetupError(`The command line is not valid: ${reason}`, { cause });
  }
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65535) return port;
  throw new SetupError(`The option --https-port needs a number from 0 to 65535, not ${text}.`);
}
