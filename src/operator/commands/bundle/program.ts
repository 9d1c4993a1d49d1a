import { CertError } from '../../../core/cert-error.ts';
import {
  administerBundle,
  type BundleAdministration,
  BundleRefusal,
} from '../../../dbus/trust-bundle/bundle-client.ts';
import type { ToldDownload } from '../../../dbus/trust-bundle/bundle-interface.ts';
import { type OperatorContext, refuseRemote } from '../../context.ts';
import { describeFailure } from '../../failure.ts';
import { CommandError, type ExitKind } from '../../framework/exit-status.ts';
import type { Fields } from '../../framework/fields.ts';
import { textValue } from '../../framework/value-kind.ts';

/** Which bundle a command is about. */
export const bundleOption = {
  bundle: {
    kind: textValue('BUNDLE'),
    about: 'another bundle of `trustBundles.bundles`',
    default: 'default-trusted-ca-certs',
  },
} as const;

export const bundleField = { type: 'text', title: 'Bundle', about: 'its name' } as const;
export const groupField = {
  type: 'text',
  title: 'Group',
  about: 'the authority endpoint of run time that it is',
} as const;

export async function withBundle<T>(
  context: OperatorContext,
  command: string,
  { bundle: name }: { readonly bundle: string },
  work: (bundle: BundleAdministration) => Promise<T>,
): Promise<T> {
  refuseRemote(context, command);
  let bundle: BundleAdministration | undefined;
  try {
    bundle = await administerBundle(context.busAddress, name);
    return await work(bundle);
  } catch (error) {
    if (error instanceof BundleRefusal) throw refusalOf(error);
    if (error instanceof CertError) {
      const next = advice[error.code];
      if (next !== undefined) throw describeFailure(error, next);
    }
    throw error;
  } finally {
    bundle?.close();
  }
}

const advice: Readonly<Record<string, string | undefined>> = {
  unavailable: 'look at systemctl status bmc-bundle',
  'not-found': 'bmc-certs bundle status shows what there is',
};

/** What an operator is told of a refusal of the program, or of the publisher. */
export function refusalOf({
  code,
  message,
}: {
  readonly code: string;
  readonly message: string;
}): CommandError {
  const [kind, next] = refusals[code] ?? ['refused'];
  const sentence = `${code}: ${message.replace(/\.$/, '')}`;
  return new CommandError(kind, `${next === undefined ? sentence : `${sentence}; ${next}`}.`);
}

/** How a command ends, and what to do next where the message does not say it: a bad bundle is refused, and the one in force stays. */
const refusals: Readonly<Record<string, readonly [kind: ExitKind, next?: string]>> = {
  'not-configured': [
    'conflict',
    'give url and pinnedRoots in trustBundles.bundles of the configuration',
  ],
  'pinned-roots': ['failed'],
  setting: ['refused'],
  'routing-instance': ['refused'],
  unreachable: ['unavailable'],
  timeout: ['unavailable'],
  'http-status': ['unavailable'],
  truncated: ['unavailable', 'try again'],
  superseded: ['conflict', 'try again'],
  busy: ['conflict', 'try again in a minute'],
  storage: ['failed', 'look at the disk of the device'],
  unavailable: ['unavailable', 'look at systemctl status bmc-certificate-manager'],
  'not-found': ['not-found'],
  internal: ['failed', 'the log of the program says why'],
};

/** @returns `null` for what is not known */
export function timeOf(seconds: bigint): Date | null {
  return seconds === 0n ? null : new Date(Number(seconds) * 1000);
}

export function numberOf(value: bigint): number | null {
  return value === 0n ? null : Number(value);
}

export const downloadFields = {
  at: { type: 'time', title: 'When', about: 'end of the download' },
  trigger: { type: 'text', title: 'By', about: '`timer` or `command`' },
  revision: {
    type: 'number',
    title: 'Revision',
    optional: true,
    about: 'that the server had; none where no manifest could be read',
  },
  date: { type: 'time', title: 'Date', optional: true, about: 'of that revision' },
  result: {
    type: 'text',
    title: 'Result',
    about: '`updated`, `unchanged`, or why it was not taken',
    tones: { updated: 'good', unchanged: 'good' },
  },
} as const satisfies Fields;

export function downloadRow([at, trigger, revision, date, result]: ToldDownload) {
  return {
    at: new Date(Number(at) * 1000),
    ...{ trigger, revision: numberOf(revision), date: timeOf(date), result },
  };
}
