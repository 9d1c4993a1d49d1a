import { SetupError } from '../../core/setup-error.ts';
import { readConfiguration } from '../../platform/configuration.ts';
import { type OperatorContext, operatorCommand } from '../context.ts';
import {
  accessExamination,
  endpointsExamination,
  reloadExamination,
  replacementExamination,
} from '../doctor/bus.ts';
import {
  chainExamination,
  clockExamination,
  expiryExamination,
  findingsExamination,
} from '../doctor/certificates.ts';
import { filesExamination } from '../doctor/files.ts';
import { type Examination, type Finding, findingsOf } from '../doctor/finding.ts';
import { describeFailure } from '../failure.ts';
import { visible } from '../framework/fields.ts';
import { fileValue } from '../framework/value-kind.ts';
import type { Manager } from '../road.ts';
import { defaultConfiguration } from '../targets.ts';

const examinations: readonly Examination[] = [
  endpointsExamination,
  accessExamination,
  clockExamination,
  filesExamination,
  expiryExamination,
  findingsExamination,
  chainExamination,
  reloadExamination,
  replacementExamination,
];

export const doctor = operatorCommand({
  name: 'doctor',
  summary: 'find what is wrong, and say what to do about it',
  about: [
    'Looks at the bus and its policy, permissions, files that do not fit what the manager publishes, the clock, expiry, warnings, servers without their intermediate, authorities without their issuer, services that could not be told, and staged replacements. Changes nothing. Files are examined by root only, and over Redfish neither files nor the bus.',
  ],
  options: {
    config: {
      kind: fileValue,
      default: defaultConfiguration,
      about: 'the configuration of the manager',
    },
  },
  fields: {
    check: { type: 'text', about: 'what was examined' },
    where: { type: 'text', about: 'an endpoint, a certificate, a file, or `device`' },
    verdict: { type: 'text', about: '`ok`, `warning`, `fault` or `skipped`' },
    text: { type: 'text', about: 'what was found' },
    next: { type: 'text', optional: true, about: 'what to do about it' },
  },
  examples: [
    { command: 'doctor', about: 'Examine everything' },
    {
      command: 'doctor --json | jq ".[] | select(.verdict == \\"fault\\")"',
      about: 'Faults alone',
    },
  ],
  async run({ options, context }) {
    const data = await examine(context, options.config);
    const isIll = data.some(({ verdict }) => verdict === 'fault');
    return { data, text: data.map(linesOf).join(''), status: isIll ? 'unhealthy' : 'done' };
  },
});

async function examine(context: OperatorContext, config: string): Promise<readonly Finding[]> {
  const { isRemote } = context;
  const { configuration, finding } = isRemote ? elsewhere : configurationAt(config);
  try {
    const manager = await context.manager();
    const patient = { manager, configuration, now: manager.now() };
    const reasonOf = (error: unknown) => describeFailure(error).message;
    const found = examinations.map((one) =>
      isOutOfReach(one, context, manager) ? [notFromHere(one)] : findingsOf(one, patient, reasonOf),
    );
    return [...finding, ...(await Promise.all(found)).flat()];
  } catch (error) {
    const { message } = describeFailure(error);
    const [text = '', ...next] = message.replace(/\.$/, '').split('; ');
    const check = isRemote ? 'service' : 'bus';
    const fault = { check, where: 'device', verdict: 'fault', text } as const;
    return [...finding, { ...fault, next: next.join('; ') || null }];
  }
}

/** The configuration of this machine is not that of the device. */
const elsewhere = { configuration: undefined, finding: [] };

function isOutOfReach(
  { reach }: Examination,
  { isRemote }: OperatorContext,
  { tellsAll }: Manager,
): boolean {
  return (isRemote && reach === 'device') || (!tellsAll && reach === 'extension');
}

function notFromHere({ check }: Examination): Finding {
  const text = 'this Redfish service shows nothing of it';
  const next = 'run bmc-certs doctor on the device itself';
  return { check, where: 'device', verdict: 'skipped', text, next };
}

/** Absent for a manager that is configured by options, as upstream's units do. */
function configurationAt(path: string) {
  try {
    return { configuration: readConfiguration(path), finding: [] };
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    const { message } = describeFailure(error);
    const text = message.replace(/\.$/, '');
    const next = 'name the configuration of the manager with --config';
    const verdict = 'warning';
    const finding = [{ check: 'configuration', where: path, verdict, text, next }] as const;
    return { configuration: undefined, finding };
  }
}

function linesOf({ check, where, verdict, text, next }: Finding): string {
  const place = where === 'device' ? check : `${check}: ${where}`;
  const first = `${verdict.padEnd(8)} ${place}: ${text}\n`;
  return visible(first.trimEnd()) + (next === null ? '\n' : `\n         ${visible(next)}\n`);
}
