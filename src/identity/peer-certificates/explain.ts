import { type Certificate, subjectText } from '../../x509/certificate.ts';
import type { User } from '../accounts/user-directory.ts';
import type { ClientIdentities } from './client-identities.ts';
import type { MappingContext } from './map-types.ts';
import { type ConsideredEntry, type Mapping, mapToName } from './mapping.ts';
import type { Refusal } from './refusal.ts';
import { formatTlsFingerprint, tlsFingerprintOf } from './tls-fingerprint.ts';

/** Finds a user by the exact name. */
export type FindUser = (userName: string) => Promise<User | undefined>;

/** What a login with a chain would come to now, and why. */
export interface Explanation {
  /** The validated chain from the client's certificate to the root; what was shown, where there is none. */
  readonly path: readonly { readonly subject: string; readonly fingerprint: string }[];
  /** Every entry of the list, and the default where it counts. Empty for a chain that is not trusted. */
  readonly considered: readonly ConsideredEntry[];
  /** The name that counts, whether or not there is such a user. */
  readonly name?: string;
  readonly user?: User;
  /** Absent where the login would succeed. */
  readonly refusal?: Refusal;
}

/**
 * The dry run of a login.
 * @param path from the client's certificate to the root, or why there is none
 */
export async function explainLogin(
  shown: readonly Certificate[],
  path: readonly Certificate[] | Refusal,
  identities: ClientIdentities,
  context: MappingContext & { readonly findUser: FindUser },
): Promise<Explanation> {
  if (shown.length === 0) return { path: [], considered: [], refusal: 'no-certificate' };
  if (typeof path === 'string') {
    return { path: shown.map(summaryOf), considered: [], refusal: path };
  }
  const { considered, result } = mapToName(path, identities, context, true);
  const user = await userOf(result, context.findUser);
  return {
    path: path.map(summaryOf),
    considered,
    ...('name' in result && { name: result.name }),
    ...(typeof user === 'string' ? { refusal: user } : { user }),
  };
}

/** The user of a name, who must exist and be allowed to log in. */
export async function userOf(
  result: Mapping['result'],
  findUser: FindUser,
): Promise<User | Refusal> {
  if ('refusal' in result) return result.refusal;
  const user = await findUser(result.name);
  return user?.enabled && !user.locked ? user : 'unknown-user';
}

function summaryOf(certificate: Certificate) {
  const fingerprint = formatTlsFingerprint(tlsFingerprintOf(certificate));
  return { subject: subjectText(certificate), fingerprint };
}
