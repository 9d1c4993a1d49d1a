import {
  administerEnrolment,
  type EnrolmentAdministration,
  EnrolmentRefusal,
} from '../../../dbus/enrolment/enrolment-client.ts';
import type { Told } from '../../../dbus/enrolment/enrolment-interface.ts';
import { type OperatorContext, refuseRemote } from '../../context.ts';
import { CommandError, type ExitKind } from '../../framework/exit-status.ts';
import { textValue } from '../../framework/value-kind.ts';

export const certificate = {
  kind: textValue('CERTIFICATE'),
  about: 'its name in `enrolment.certificates`; need not be given where there is one alone',
  optional: true,
} as const;

/** The only certificate there is, or the named one. @throws CommandError `usage` */
export async function nameOf(
  agent: EnrolmentAdministration,
  given: string | undefined,
): Promise<string> {
  if (given !== undefined) return given;
  const names = Object.keys(await agent.certificates());
  const [only, ...others] = names;
  if (only !== undefined && others.length === 0) return only;
  const known =
    names.length === 0 ? 'The configuration names none.' : `Name one of ${names.join(', ')}.`;
  throw new CommandError(only === undefined ? 'not-found' : 'usage', known);
}

export async function withAgent<T>(
  context: OperatorContext,
  command: string,
  work: (agent: EnrolmentAdministration) => Promise<T>,
): Promise<T> {
  refuseRemote(context, command);
  const agent = await administerEnrolment(context.busAddress);
  try {
    return await work(agent);
  } catch (error) {
    if (!(error instanceof EnrolmentRefusal)) throw error;
    const { layer, message } = error;
    throw new CommandError(kinds[layer] ?? 'failed', `Not enrolled (${layer}): ${message}.`);
  } finally {
    agent.close();
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
