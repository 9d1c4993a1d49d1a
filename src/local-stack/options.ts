import { resolve } from 'node:path';
import type { Options, OptionValues } from '../operator/framework/command.ts';
import {
  directoryValue,
  fileValue,
  integerValue,
  textValue,
} from '../operator/framework/value-kind.ts';

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

export const stackOptions = {
  'state-dir': { kind: directoryValue, about: 'where all files are; made when it is absent' },
  'https-port': {
    kind: integerValue('PORT', 0, 65_535),
    about: 'port of the Redfish service (default: 8443); 0 takes a free one',
  },
  host: { kind: textValue('ADDRESS'), about: 'address to listen at (default: 127.0.0.1)' },
  'password-file': {
    kind: fileValue,
    about: 'a file with the password of admin; `-` for standard input',
  },
  config: { kind: fileValue, about: 'a configuration to begin with' },
} as const satisfies Options;

export function readStackOptions(
  values: OptionValues<typeof stackOptions>,
  bus: string,
  defaultState: string,
): StackOptions {
  return {
    stateDirectory: resolve(values['state-dir'] ?? defaultState),
    port: values['https-port'],
    host: values.host,
    passwordFile: values['password-file'],
    configurationFile: values.config,
    bus: bus === '' ? undefined : bus,
  };
}
