import { parseArgs } from 'node:util';
import { SetupError } from '../../core/setup-error.ts';
import {
  type CommandLine,
  commandLineOf,
  configurationOptions,
} from '../set-up/configured-program.ts';

/** `--config FILE`, or the options of phosphor-certificate-manager for a single endpoint. */
export function readCommandLine(): CommandLine {
  const { values } = parseArgs({
    options: {
      ...configurationOptions,
      type: { type: 'string', short: 't' },
      endpoint: { type: 'string', short: 'e' },
      path: { type: 'string', short: 'p' },
      unit: { type: 'string', short: 'u', default: '' },
    },
  });
  const { config: file, check, type, endpoint: name, path, unit } = values;
  if (file !== undefined) return commandLineOf(file, check);
  if (type === undefined || name === undefined || path === undefined) {
    throw new SetupError('Give --config FILE, or all of --type, --endpoint and --path.');
  }
  const reload = unit === '' ? [] : [{ unit }];
  // Another manager has those: there may be one of this kind for each endpoint
  const runTimeEndpoints = { enabled: false };
  const text = JSON.stringify({ endpoints: [{ type, name, path, reload }], runTimeEndpoints });
  return { from: { source: 'of the command line', text }, check };
}
