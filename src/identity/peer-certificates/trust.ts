import { CertError } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import type { CertificateClient, EndpointRef } from '../../manager/certificate-client.ts';
import { type Certificate, isSelfIssued } from '../../x509/certificate.ts';
import { digestFault, sizeFault, usualSecurityLevel } from '../../x509/security-levels.ts';
import type { TrustLists } from './chain.ts';

export interface TrustEndpoints {
  readonly truststore: EndpointRef;
  /** Absent where the device has no list of revoked certificates. */
  readonly revoked?: EndpointRef | undefined;
}

/** The lists as they are now, `undefined` while the manager of one of them is away. */
export function readTrust(
  client: CertificateClient,
  { truststore, revoked }: TrustEndpoints,
): TrustLists | undefined {
  const trusted = list(client, truststore);
  const listed = revoked ? list(client, revoked) : [];
  return trusted && listed && { trusted, revoked: listed };
}

/** What is about to happen to a list. */
export interface TrustChange {
  readonly endpoint: EndpointRef;
  /** Ids of the certificates that go. */
  readonly removes?: readonly string[];
  readonly adds?: readonly Certificate[];
}

/** The lists as a change would leave them; `undefined` when it touches none, or its manager is away. */
export function trustAfter(
  client: CertificateClient,
  endpoints: TrustEndpoints,
  { endpoint, removes = [], adds = [] }: TrustChange,
): TrustLists | undefined {
  const trust = readTrust(client, endpoints);
  const isOf = (one: EndpointRef | undefined) =>
    one?.type === endpoint.type && one.name === endpoint.name;
  if (!trust || !(isOf(endpoints.truststore) || isOf(endpoints.revoked))) return undefined;
  const left = client.list(endpoint).filter(({ id }) => !removes.includes(id));
  const list = [...left.map(({ certificate }) => certificate), ...adds];
  return isOf(endpoints.revoked) ? { ...trust, revoked: list } : { ...trust, trusted: list };
}

/** The CAs that clients are asked for certificates of. */
export class HandshakeAuthorities {
  readonly #nameBytes: number;
  readonly #log: Pick<Log, 'warn'>;
  #known = { key: '', pems: [] as readonly string[] };

  /** @param nameBytes of the names of all CAs, which a handshake has room for */
  constructor(nameBytes: number, log: Pick<Log, 'warn'>) {
    this.#nameBytes = nameBytes;
    this.#log = log;
  }

  /** @returns PEM; the same array for the same truststore */
  of(trusted: readonly Certificate[]): readonly string[] {
    const key = trusted.map(({ fingerprint }) => fingerprint).join();
    if (key === this.#known.key) return this.#known.pems;
    const strong = trusted.filter(isStrong);
    const weak = trusted.length - strong.length;
    if (weak > 0) this.#log.warn('authorities are too weak for the handshake', { weak });
    const named = namedAuthorities(strong, this.#nameBytes);
    const left = strong.length - named.length;
    if (left > 0) this.#log.warn('authorities do not fit into the handshake', { left });
    this.#known = { key, pems: named.map(({ pem }) => pem) };
    return this.#known.pems;
  }
}

/**
 * Whether OpenSSL takes an authority at the security level of the service. It completes a server certificate that
 * stands alone in its file with its issuer from this list, and with a weak issuer every handshake would fail; no
 * client is verified with such an authority anyway. Upstream's manager takes them.
 */
function isStrong(authority: Certificate): boolean {
  const isRoot = isSelfIssued(authority);
  return (
    sizeFault(authority.publicKey, usualSecurityLevel) === undefined &&
    (isRoot || digestFault(authority, usualSecurityLevel) === undefined)
  );
}

/**
 * The authorities that go into the handshake. Node names every one of them to the client, and a list
 * above 64 KiB would break every handshake; roots come first, because chains end at them.
 * @param bytes of names in all
 */
export function namedAuthorities(
  trusted: readonly Certificate[],
  bytes: number,
): readonly Certificate[] {
  let left = bytes;
  const ordered = [...trusted.filter(isSelfIssued), ...trusted.filter((one) => !isSelfIssued(one))];
  return ordered.filter((one) => {
    const needed = nameBytes(one);
    // One that is too long for the rest takes no room from those behind it
    if (needed > left) return false;
    left -= needed;
    return true;
  });
}

/** About the size of the subject in DER: each attribute has its type and the heads around it. */
function nameBytes({ subject }: Certificate): number {
  const values = subject.flat().map(({ value }) => Buffer.byteLength(value) + attributeBytes);
  return values.reduce((sum, one) => sum + one, 6);
}

const attributeBytes = 24;

function list(client: CertificateClient, endpoint: EndpointRef): Certificate[] | undefined {
  if (!client.isAvailable(endpoint)) return undefined;
  try {
    return client.list(endpoint).map(({ certificate }) => certificate);
  } catch (error) {
    if (error instanceof CertError) return undefined;
    throw error;
  }
}
