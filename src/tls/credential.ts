import type { SecureContextOptions } from 'node:tls';
import { type Certificate, readCertificate, subjectText } from '../x509/certificate.ts';
import { exportPrivateKey, isKeyBlock, readPrivateKey } from '../x509/keys.ts';
import { usualLimits } from '../x509/limits.ts';
import { parsePem } from '../x509/pem.ts';
import { probeHandshake } from '../x509/probe-handshake.ts';
import { profileOptions, type TlsProfileName, tlsProfiles } from './profile.ts';

/** A private key with its certificate, and the certificates that are sent with it. */
export interface Credential {
  /** PEM. */
  readonly key: string;
  readonly certificate: Certificate;
  readonly chain: readonly Certificate[];
}

/** Why a credential cannot be served; the message is a clause, such as `the file is empty`. */
export class CredentialFault extends Error {
  override readonly name = 'CredentialFault';
  /** True where the same file may be good at the next look. */
  readonly mayPass: boolean;

  constructor(message: string, { mayPass = false }: { readonly mayPass?: boolean } = {}) {
    super(message);
    this.mayPass = mayPass;
  }
}

const certificateLabels = ['CERTIFICATE', 'X509 CERTIFICATE'];

/**
 * Reads a PEM file with a key and, in the order in which they are sent, its certificates.
 * @throws CredentialFault, and CertError when a certificate or the key cannot be read
 */
export function readCredential(pem: string, limits = usualLimits): Credential {
  const blocks = parsePem(pem, limits);
  const keyBlock = blocks.find(isKeyBlock);
  const [certificate, ...chain] = blocks
    .filter(({ label }) => certificateLabels.includes(label))
    .map(({ der }) => readCertificate(der, limits));
  if (!certificate) throw new CredentialFault('the file holds no certificate');
  if (!keyBlock) throw new CredentialFault('the file holds no private key');
  const key = readPrivateKey(keyBlock);
  if (!certificate.x509.checkPrivateKey(key)) {
    throw new CredentialFault('the key is not that of the first certificate');
  }
  return { key: exportPrivateKey(key), certificate, chain };
}

/** The file that `readCredential` reads. */
export function formatCredential({ key, certificate, chain }: Credential): string {
  return [key, ...[certificate, ...chain].map(({ pem }) => pem)].join('');
}

/** The credential as OpenSSL takes it. */
export function contextOptions({
  key,
  certificate,
  chain,
}: Credential): Pick<SecureContextOptions, 'key' | 'cert'> {
  return { key, cert: [certificate, ...chain].map(({ pem }) => pem).join('') };
}

/** The SHA-256 of a certificate as openssl, browsers and Redfish write it. */
export function fingerprintOf({ certificate }: Pick<Credential, 'certificate'>): string {
  return certificate.x509.fingerprint256;
}

/** Certificates that are tried one by one to find the refused one; real chains have at most six. */
const maxSuspects = 20;

/**
 * Whether a server with this profile can serve a credential.
 * @param spare another one, that it can serve for certain
 * @throws CredentialFault that names the certificate that OpenSSL refuses, and OpenSSL's reason
 */
export async function mustBeServable(
  credential: Credential,
  profile: TlsProfileName,
  spare: () => Credential,
): Promise<void> {
  const probe = (one: Credential) => servingFault(one, profile);
  const reason = await probe(credential);
  if (reason === undefined) return;
  const { certificate, chain } = credential;
  const all = [certificate, ...chain];
  const refuse = (at: number, why: string) => {
    const subject = subjectText(all[at] ?? certificate);
    return new CredentialFault(
      `OpenSSL refuses certificate ${at + 1} of ${all.length}, ${subject}: ${why}`,
    );
  };
  const ofLeaf = await probe({ ...credential, chain: [] });
  if (ofLeaf !== undefined) throw refuse(0, ofLeaf);
  const substitute = spare();
  for (const [at, one] of chain.slice(0, maxSuspects).entries()) {
    const why = await probe({ ...substitute, chain: [one] });
    if (why !== undefined) throw refuse(at + 1, why);
  }
  throw new CredentialFault(`OpenSSL refuses the certificates of the file together: ${reason}`);
}

/** @returns why no version of TLS gets a client the certificate; one that does is enough to be reached */
async function servingFault(
  credential: Credential,
  profile: TlsProfileName,
): Promise<string | undefined> {
  const options = { ...profileOptions(profile), ...contextOptions(credential) };
  let reason: string | undefined;
  for (const version of tlsProfiles[profile].versions.toReversed()) {
    const fault = await probeHandshake(options, version);
    if (fault === undefined) return undefined;
    reason ??= fault;
  }
  return reason;
}
