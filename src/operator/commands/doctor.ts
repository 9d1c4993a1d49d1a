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
import { metricsExamination } from '../doctor/metrics.ts';
import { policyExamination, systemPolicies } from '../doctor/policy.ts';
import { reloadTargetsExamination } from '../doctor/reload-targets.ts';
import { withUnitStates } from '../doctor/unit-states.ts';
import { describeFailure } from '../failure.ts';
import { visible } from '../framework/fields.ts';
import { fileValue } from '../framework/value-kind.ts';
import type { Manager } from '../road.ts';
import { defaultConfiguration } from '../targets.ts';

const examinations: readonly Examination[] = [
  endpointsExamination,
  policyExamination,
  accessExamination,
  clockExamination,
  filesExamination,
  expiryExamination,
  findingsExamination,
  chainExamination,
  reloadTargetsExamination,
  reloadExamination,
  replacementExamination,
  metricsExamination,
];

export const doctor = operatorCommand({
  name: 'doctor',
  summary: 'find what is wrong, and say what to do about it',
  about: [
    'Looks at the bus and its policy, permissions, files that do not fit what the manager publishes, the clock, expiry, warnings, servers without their intermediate, authorities without their issuer, services that cannot or could not be told, staged replacements, and the textfile for Prometheus. Changes nothing. Files are examined by root only, and over Redfish neither files nor the bus.',
  ],
  options: {
    config: {
      kind: fileValue,
      default: defaultConfiguration,
      about: 'the configuration of the manager',
    },
    policy: {
      kind: fileValue,
      multiple: true,
      about: `a directory with the policy of the bus (default: those of the system bus, ${systemPolicies.join(' and ')})`,
    },
  },
  answersList: true,
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
    const data = await examine(context, options);
    const isIll = data.some(({ verdict }) => verdict === 'fault');
    return { data, text: data.map(linesOf).join(''), status: isIll ? 'unhealthy' : 'done' };
  },
});

interface DoctorOptions {
  readonly config: string;
  readonly policy: readonly string[];
}

async function examine(
  context: OperatorContext,
  { config, policy }: DoctorOptions,
): Promise<readonly Finding[]> {
  const { isRemote } = context;
  const { configuration, finding } = isRemote ? elsewhere : configurationAt(config);
  try {
    const manager = await context.manager();
    const reasonOf = (error: unknown) => describeFailure(error).message;
    const policyDirectories = policy.length > 0 ? policy : policiesOf(context);
    const found = await withUnitStates(context.busAddress, (unitState) => {
      const now = manager.now();
      const patient = { manager, configuration, now, policyDirectories, unitState };
      return Promise.all(
        examinations.map((one) =>
          isOutOfReach(one, context, manager)
            ? [notFromHere(one)]
            : findingsOf(one, patient, reasonOf),
        ),
      );
    });
    return [...finding, ...found.flat()];
  } catch (error) {
    const { message } = describeFailure(error);
    const [text = '', ...next] = message.replace(/\.$/, '').split('; ');
    const check = isRemote ? 'service' : 'bus';
    const fault = { check, where: 'device', verdict: 'fault', text } as const;
    return [...finding, { ...fault, next: next.join('; ') || null }];
  }
}

/** Another bus has a policy of its own. */
function policiesOf({ busAddress }: OperatorContext): readonly string[] | undefined {
  const isSystemBus = busAddress === '' && process.env.DBUS_SYSTEM_BUS_ADDRESS === undefined;
  return isSystemBus ? systemPolicies : undefined;
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
