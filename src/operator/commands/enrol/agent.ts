import { CertError } from '../../../core/cert-error.ts';
import {
  administerEnrolment,
  type EnrolmentAdministration,
  EnrolmentRefusal,
} from '../../../dbus/enrolment/enrolment-client.ts';
import type { Told } from '../../../dbus/enrolment/enrolment-interface.ts';
import { type OperatorContext, refuseRemote } from '../../context.ts';
import { describeFailure } from '../../failure.ts';
import { CommandError, type ExitKind } from '../../framework/exit-status.ts';
import { textValue } from '../../framework/value-kind.ts';

export const certificate = {
  kind: { ...textValue('CERTIFICATE'), completion: { ask: 'enrol status --quiet' } },
  about: 'its name in `enrolment.certificates`; need not be given where there is one alone',
  optional: true,
} as const;

/** The only certificate there is, or the named one. @throws CommandError `usage`, `not-found` */
export async function nameOf(
  agent: EnrolmentAdministration,
  given: string | undefined,
): Promise<string> {
  const names = Object.keys(await agent.certificates());
  const [only, ...others] = names;
  const next = choice(names, 'certificate', 'enrolment.certificates');
  if (given !== undefined) {
    if (names.includes(given)) return given;
    throw new CommandError('not-found', `No certificate ${given} is to be enrolled; ${next}.`);
  }
  if (only === undefined) {
    throw new CommandError('not-found', `No certificate is to be enrolled; ${next}.`);
  }
  if (others.length === 0) return only;
  throw new CommandError('usage', `CERTIFICATE is missing; ${next}.`);
}

/** What to do next, where a name is none of those in the configuration. */
export function choice(names: readonly string[], what: string, setting: string): string {
  return names.length === 0
    ? `the configuration of the agent has no ${what} in "${setting}"`
    : `name one of ${names.join(', ')}`;
}

export async function withAgent<T>(
  context: OperatorContext,
  command: string,
  work: (agent: EnrolmentAdministration) => Promise<T>,
): Promise<T> {
  refuseRemote(context, command);
  let agent: EnrolmentAdministration | undefined;
  try {
    agent = await administerEnrolment(context.busAddress);
    return await work(agent);
  } catch (error) {
    if (error instanceof CertError && error.code === 'unavailable')
      throw describeFailure(error, 'look at systemctl status bmc-cmp');
    if (!(error instanceof EnrolmentRefusal)) throw error;
    const { layer, message } = error;
    throw new CommandError(kinds[layer] ?? 'failed', `Not enrolled (${layer}): ${message}.`);
  } finally {
    agent?.close();
  }
}

const kinds: Readonly<Record<string, ExitKind>> = {
  ca: 'refused',
  certificate: 'refused',
  protection: 'refused',
  transport: 'unavailable',
  http: 'unavailable',
};

export function textOf(entry: Told, member: string): string | null {
  const value = entry[member]?.value;
  return typeof value === 'string' ? value : null;
}

export function timeOf(entry: Told, member: string): Date | null {
  const value = entry[member]?.value;
  return typeof value === 'bigint' ? new Date(Number(value) * 1000) : null;
}
