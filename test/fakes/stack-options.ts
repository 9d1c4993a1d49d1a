import { makeProgram } from '../../src/bin/bmc-certs.ts';
import {
  readStackOptions,
  type StackOptions,
  type stackOptions,
} from '../../src/local-stack/options.ts';
import { commandsOf, type OptionValues } from '../../src/operator/framework/command.ts';
import { readValues } from '../../src/operator/framework/parse.ts';

/** The options of `bmc-certs up` as they are typed. */
export function parseStackOptions(args: readonly string[], defaultState: string): StackOptions {
  const program = makeProgram();
  const up = commandsOf(program).find(({ name }) => name === 'up');
  if (!up) throw new Error('there is no command up');
  const { options } = readValues(program, up, args);
  const bus = typeof options.bus === 'string' ? options.bus : '';
  return readStackOptions(options as OptionValues<typeof stackOptions>, bus, defaultState);
}
