import {
  type TrustBundleManifest,
  validateTrustBundleManifest,
} from '../../schemas/generated/validators.js';
import { validate } from '../core/validation.ts';
import { BundleFault } from './bundle-fault.ts';

/** What certificates below a CA must be like, for who can look at that. */
export interface CaConstraint {
  /** Hexadecimal SHA-256 of the CA. */
  readonly sha256: string;
  /** A certificate that was issued later is not to be trusted. */
  readonly distrustIssuedAfter: Date | undefined;
  /** Dotted OIDs; `undefined` for every purpose. */
  readonly purposes: readonly string[] | undefined;
}

/** A manifest that was found good; fingerprints are in lower case. */
export interface Manifest {
  readonly name: string;
  readonly revision: number;
  readonly date: Date;
  readonly nextUpdate: Date;
  readonly target: {
    readonly path: string;
    readonly length: number;
    readonly sha256: string;
    readonly count: number;
  };
  readonly constraints: readonly CaConstraint[];
  readonly removed: readonly { readonly sha256: string; readonly reason: string }[];
}

/** What clients of this version understand; a manifest may ask for more. */
export const clientVersion = 1;

/**
 * Reads a manifest, whose signature was verified before.
 * @throws BundleFault `manifest-malformed` with the name of the member, `wrong-bundle`
 */
export function readManifest(bytes: Buffer, name: string): Manifest {
  const stored = parse(bytes);
  if (stored.name !== name)
    throw new BundleFault('wrong-bundle', `the manifest is for the bundle ${stored.name}`);
  const { minClient = 1 } = stored;
  if (minClient > clientVersion) {
    const message = `the manifest is for clients of version ${minClient}, and this is ${clientVersion}`;
    throw new BundleFault('wrong-bundle', message);
  }
  const date = timeOf(stored.date, 'date');
  const nextUpdate = timeOf(stored.nextUpdate, 'nextUpdate');
  if (nextUpdate <= date) throw malformed('nextUpdate', 'is not after date');
  const { path, length, sha256, count } = stored.target;
  return {
    ...{ name, revision: stored.revision, date, nextUpdate },
    target: { path, length, sha256: sha256.toLowerCase(), count },
    constraints: (stored.constraints ?? []).map((one) => ({
      sha256: one.sha256.toLowerCase(),
      distrustIssuedAfter:
        one.distrustIssuedAfter === undefined
          ? undefined
          : timeOf(one.distrustIssuedAfter, 'constraints'),
      purposes: one.purposes,
    })),
    removed: (stored.removed ?? []).map((one) => ({
      sha256: one.sha256.toLowerCase(),
      reason: one.reason ?? '',
    })),
  };
}

function parse(bytes: Buffer): TrustBundleManifest {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new BundleFault('manifest-malformed', 'the manifest is no JSON in UTF-8', { cause });
  }
  const result = validate(validateTrustBundleManifest, value);
  if (result.ok) return result.value;
  const [problem] = result.problems;
  throw malformed(problem?.path.slice(1) || 'the whole', problem?.text ?? 'is not valid');
}

/** The 31st of June has the form of a date. */
function timeOf(text: string, member: string): Date {
  const date = new Date(text);
  const isReal = date.getTime() >= 0 && date.toISOString().startsWith(text.slice(0, 19));
  if (!isReal) throw malformed(member, 'is no date since 1970');
  return date;
}

function malformed(member: string, text: string): BundleFault {
  return new BundleFault('manifest-malformed', `in the manifest ${member} ${text}`);
}
