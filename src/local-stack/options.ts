import { resolve } from 'node:path';
import type { Options, OptionValues } from '../operator/framework/command.ts';
import { CommandError } from '../operator/framework/exit-status.ts';
import {
  choicesValue,
  directoryValue,
  fileValue,
  integerValue,
  textValue,
} from '../operator/framework/value-kind.ts';
import { type ChosenEdge, edges } from './edges.ts';

/** What the operator asks of the local stack; what is absent comes from the configuration. */
export interface StackOptions {
  readonly stateDirectory: string;
  readonly port: number | undefined;
  readonly host: string | undefined;
  readonly passwordFile: string | undefined;
  readonly configurationFile: string | undefined;
  /** Address of a bus that runs already; without it the stack has a private one. */
  readonly bus: string | undefined;
  /** What is started beside the Redfish service. */
  readonly edges: readonly ChosenEdge[];
}

const edgeNames = Object.keys(edges);

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
  with: {
    kind: choicesValue('EDGES', edgeNames),
    about: `services to start beside the Redfish service, separated by commas: ${edgeNames.join(', ')}`,
  },
  'gnoi-port': {
    kind: integerValue('PORT', 0, 65_535),
    about: 'with gnoi: port of the gNOI service (default: 32767); 0 takes a free one',
  },
  'netconf-port': {
    kind: integerValue('PORT', 0, 65_535),
    about: 'with netconf: port of the NETCONF service (default: 6513); 0 takes a free one',
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
    edges: edgesOf(values),
  };
}

/** @throws CommandError for the port of an edge that is not started */
function edgesOf(values: OptionValues<typeof stackOptions>): readonly ChosenEdge[] {
  const { with: chosen = [], ...others } = values;
  const given: Readonly<Record<string, unknown>> = others;
  const all = Object.entries(edges).map(([name, edge]) => {
    const port = given[`${name}-port`];
    return { ...edge, name, port: typeof port === 'number' ? port : undefined };
  });
  const unused = all.find(({ name, port }) => port !== undefined && !chosen.includes(name));
  if (unused)
    throw new CommandError('usage', `--${unused.name}-port is for --with ${unused.name}.`);
  return all.filter(({ name }) => chosen.includes(name));
}
