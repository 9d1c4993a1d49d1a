import type { TrustBundleCopy } from '../../schemas/generated/validators.js';
import { type Certificate, subjectText } from '../x509/certificate.ts';
import { CmsFault } from '../x509/cms/cms-fault.ts';
import { type SignerRules, type VerifiedSigner, verifyDetached } from '../x509/cms/verify.ts';
import { type BundleContent, readBundleContent, sha256Of, sha256OfCa } from './bundle-content.ts';
import { BundleFault, type BundleFaultCode } from './bundle-fault.ts';
import type { BundleCopy, BundleFiles } from './copy-store.ts';
import { type BundleServer, fetchFile } from './fetch-file.ts';
import { type Manifest, readManifest } from './manifest.ts';

/** What a manifest must be, beside signed. */
export interface ManifestRules {
  readonly name: string;
  readonly signer: SignerRules;
  readonly highest: { readonly revision: number; readonly sha256: string } | undefined;
}

/** What is on the device already. */
export interface KnownCopy {
  readonly copy: BundleCopy | undefined;
  /** Of its manifest at this server. */
  readonly etag: string | undefined;
}

export interface VerifiedManifest {
  readonly manifest: Manifest;
  readonly bytes: Buffer;
  readonly signature: Buffer;
  readonly signer: VerifiedSigner;
  readonly etag: string | undefined;
}

const suffix = '.p7s';
const manifestName = 'manifest.json';
/** A signature with the certificates of the signer. */
const maxSignatureBytes = 64 * 1024;

/**
 * Fetches the manifest and finds it good: signature, form, name, and not older than what was seen.
 * @throws BundleFault
 */
export async function fetchManifest(
  server: BundleServer,
  { name, signer: rules, highest }: ManifestRules,
  { copy, etag }: KnownCopy,
): Promise<VerifiedManifest> {
  const { maxManifestBytes } = server.limits;
  const fetched = await fetchFile(server, manifestName, maxManifestBytes, copy && etag);
  // What the copy has is verified again: its signer may have expired since
  const bytes = fetched?.body ?? copy?.manifestBytes ?? Buffer.alloc(0);
  const isStored = copy?.manifestBytes.equals(bytes) === true && !fetched;
  const signature = isStored ? copy.manifestSignature : await fetchSignature(server, manifestName);
  const signer = verify(manifestName, signature, bytes, rules);
  const manifest = readManifest(bytes, name);
  refuseUnsignable(manifest, signer);
  if (highest) refuseOlder(manifest, highest);
  return { manifest, bytes, signature, signer, etag: fetched ? fetched.etag : etag };
}

/** A version that was found good, whole. */
export interface VerifiedBundle {
  readonly files: BundleFiles;
  readonly summary: TrustBundleCopy;
}

/**
 * Fetches the target that a manifest names and finds it good.
 * @param stored reads the target of the copy, where it is the same
 * @param verifying is called when all is there
 * @throws BundleFault
 */
export async function fetchTarget(
  server: BundleServer,
  { signer: rules }: ManifestRules,
  { manifest, bytes, signature, signer }: VerifiedManifest,
  stored: (() => Promise<Buffer>) | undefined,
  verifying: () => void,
): Promise<VerifiedBundle> {
  const { path, length, sha256, count } = manifest.target;
  const { maxBytes } = server.limits;
  if (length > maxBytes)
    throw new BundleFault(
      'too-large',
      `the target has ${length} bytes and the limit is ${maxBytes}`,
    );
  const target = stored ? await stored() : (await fetchFile(server, path, length))?.body;
  if (!target || target.length !== length || sha256Of(target) !== sha256)
    throw new BundleFault(
      'hash-mismatch',
      `the server has another target than revision ${manifest.revision} of the manifest names`,
    );
  const targetSignature = await fetchSignature(server, path);
  verifying();
  verify(path, targetSignature, target, rules);
  const content = await readBundleContent(target, server.limits.maxCertificates);
  if (content.certificates.length !== count)
    throw new BundleFault(
      'hash-mismatch',
      `the target holds ${content.certificates.length} CAs and the manifest says ${count}`,
    );
  return {
    files: { manifest: bytes, manifestSignature: signature, target, targetSignature },
    summary: summaryOf(content, signer),
  };
}

/** The date of the copy in force counts as past, so one far ahead would have every later signer be expired. */
function refuseUnsignable({ date }: Manifest, { certificate }: VerifiedSigner): void {
  if (date.getTime() / 1000 > certificate.notAfter)
    throw new BundleFault(
      'manifest-malformed',
      'in the manifest date is after the end of the certificate of its signer',
    );
}

/** The same revision may come with a later date of its next update, and with nothing else. */
function refuseOlder(
  { revision, target }: Manifest,
  highest: { readonly revision: number; readonly sha256: string },
): void {
  if (revision < highest.revision)
    throw new BundleFault(
      'rollback',
      `the server has revision ${revision}, and revision ${highest.revision} was in force here; its next one must be higher`,
    );
  if (revision === highest.revision && target.sha256 !== highest.sha256)
    throw new BundleFault('rollback', `the server has another target as revision ${revision}`);
}

async function fetchSignature(server: BundleServer, name: string): Promise<Buffer> {
  const fetched = await fetchFile(server, `${name}${suffix}`, maxSignatureBytes);
  return fetched?.body ?? Buffer.alloc(0);
}

const codes: Readonly<Record<CmsFault['code'], BundleFaultCode>> = {
  malformed: 'signature-malformed',
  invalid: 'signature-invalid',
  untrusted: 'signer-untrusted',
  unfit: 'signer-unfit',
};

function verify(name: string, signature: Buffer, content: Buffer, rules: SignerRules) {
  try {
    return verifyDetached(signature, content, rules);
  } catch (cause) {
    if (!(cause instanceof CmsFault)) throw cause;
    const message = `${name}${suffix} is refused: ${cause.message}`;
    throw new BundleFault(codes[cause.code], message, { cause });
  }
}

function summaryOf({ certificates, duplicates }: BundleContent, signer: VerifiedSigner) {
  const shown = (one: Certificate) => ({ subject: subjectText(one), notAfter: one.notAfter });
  return {
    ...{ signer: shown(signer.certificate), root: shown(signer.root), duplicates },
    authorities: certificates.map((one) => ({ sha256: sha256OfCa(one), ...shown(one) })),
  };
}
