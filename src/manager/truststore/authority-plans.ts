import { CertError } from '../../core/cert-error.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { isForeignBlock, kindOf } from '../../x509/no-certificate.ts';
import { isCertificateBlock, type PemBlock } from '../../x509/pem.ts';
import { usualSecurityLevel } from '../../x509/security-levels.ts';
import { signatureFault } from '../checks/chain-signatures.ts';
import { authorityChecks, enforce } from '../checks/checks.ts';
import type { EndpointDependencies } from '../endpoint-dependencies.ts';
import { distinct } from '../upgrade/upstream-authorities.ts';
import { blocksOf, parseBundle, parseUpload, type Upload, type UploadSource } from '../upload.ts';
import type { Authority } from './authority-directory.ts';

/** A new set of authorities, and which of them the caller asked about. */
export interface SetPlan {
  readonly next: readonly Authority[];
  readonly asked: readonly Authority[];
}

/** A truststore as it is, for what it would be after a change; nothing here changes anything. */
export interface AuthoritySet {
  readonly current: readonly Authority[];
  /** Of the next certificate. */
  readonly nextId: number;
  readonly dependencies: Pick<EndpointDependencies, 'limits' | 'checks' | 'now'>;
}

export async function planInstall(set: AuthoritySet, source: UploadSource): Promise<SetPlan> {
  const { current, nextId } = set;
  refuseMoreThanLimit(set, current.length + 1);
  const certificate = checkOne(set, await blocksOf(source, set.dependencies.limits.content));
  refuseDuplicate(set, certificate);
  const authority = { id: nextId, certificate };
  return { next: [...current, authority], asked: [authority] };
}

export async function planReplace(
  set: AuthoritySet,
  id: string,
  source: UploadSource,
): Promise<SetPlan> {
  const previous = byId(set, id);
  const certificate = checkOne(set, await blocksOf(source, set.dependencies.limits.content));
  refuseDuplicate(set, certificate, previous);
  const authority = { id: previous.id, certificate };
  const next = set.current.map((one) => (one === previous ? authority : one));
  return { next, asked: [authority] };
}

export async function planInstallAll(set: AuthoritySet, source: UploadSource): Promise<SetPlan> {
  if (set.current.length === 0) return planReplaceAll(set, source);
  throw new CertError('not-empty', 'authorities are installed; replace them or delete them first');
}

/** The whole bundle is checked before anything of it counts. What is installed keeps its id. */
export async function planReplaceAll(set: AuthoritySet, source: UploadSource): Promise<SetPlan> {
  const { certificates } = await parseWhole(
    set,
    await blocksOf(source, set.dependencies.limits.content),
  );
  const wanted = distinct(certificates);
  check(set, wanted, wanted);
  const byFingerprint = new Map(set.current.map((one) => [one.certificate.fingerprint, one]));
  const fresh = wanted.filter(({ fingerprint }) => !byFingerprint.has(fingerprint));
  for (const [at, certificate] of fresh.entries())
    byFingerprint.set(certificate.fingerprint, { id: set.nextId + at, certificate });
  const find = ({ fingerprint }: Certificate) => byFingerprint.get(fingerprint) ?? [];
  return {
    next: wanted.flatMap(find).sort((a, b) => a.id - b.id),
    // The reply has an entry for each block of the file, as upstream's
    asked: certificates.flatMap(find),
  };
}

/** The whole bundle is checked before anything of it counts; what is installed already is no obstacle to the rest. */
export async function planAdd(set: AuthoritySet, source: UploadSource): Promise<SetPlan> {
  const { current, nextId, dependencies } = set;
  const blocks = await blocksOf(source, dependencies.limits.content);
  const wanted = distinct((await parseWhole(set, blocks)).certificates);
  check(set, wanted, wanted);
  const known = new Set(current.map(({ certificate }) => certificate.fingerprint));
  const fresh = wanted.filter(({ fingerprint }) => !known.has(fingerprint));
  if (fresh.length === 0)
    throw new CertError('already-installed', 'all certificates of the bundle are installed');
  refuseMoreThanLimit(set, current.length + fresh.length);
  const asked = fresh.map((certificate, at) => ({ id: nextId + at, certificate }));
  return { next: [...current, ...asked], asked };
}

export function planDelete(set: AuthoritySet, id: string): SetPlan {
  const removed = byId(set, id);
  return { next: set.current.filter((one) => one !== removed), asked: [] };
}

/**
 * Counts before it reads, so that a bundle over the limit costs nothing. What an operator may take for a part of the
 * trust, and would not be, refuses the bundle.
 */
async function parseWhole(set: AuthoritySet, blocks: readonly PemBlock[]): Promise<Upload> {
  refuseMoreThanLimit(set, blocks.filter(isCertificateBlock).length);
  const other = blocks.find(isForeignBlock);
  if (other)
    throw new CertError(
      'no-certificate',
      `the bundle holds ${kindOf(other.label)} beside certificates, which is not kept; leave it out`,
    );
  const { authorities, content } = set.dependencies.limits;
  return parseBundle(blocks, authorities, content);
}

/** The file may hold more: its first certificate is what it is about, and a key is never taken. */
function checkOne(set: AuthoritySet, blocks: readonly PemBlock[]): Certificate {
  const { chain, content } = set.dependencies.limits;
  const { certificates } = parseUpload(blocks, chain, content);
  const [certificate] = certificates;
  if (!certificate) throw new TypeError('an upload has a certificate');
  check(set, [certificate], certificates);
  return certificate;
}

function check(
  { dependencies: { checks: policy, now } }: AuthoritySet,
  certificates: readonly Certificate[],
  bundle: readonly Certificate[],
): void {
  const common = {
    signatureFault: signatureFault(bundle),
    now: Math.floor(now() / 1000),
    policy,
    securityLevel: usualSecurityLevel,
  };
  for (const leaf of certificates) enforce(authorityChecks, { leaf, ...common });
}

function refuseDuplicate(
  { current }: AuthoritySet,
  { fingerprint }: Certificate,
  except?: Authority,
): void {
  const twin = current.find((one) => one !== except && one.certificate.fingerprint === fingerprint);
  if (!twin) return;
  throw new CertError('already-installed', `the certificate is installed as ${twin.id}`);
}

function refuseMoreThanLimit({ dependencies }: AuthoritySet, count: number): void {
  const limit = dependencies.limits.authorities;
  if (count <= limit) return;
  throw new CertError('limit-reached', `${count} authorities are more than the limit of ${limit}`);
}

function byId({ current }: AuthoritySet, id: string): Authority {
  const found = current.find((one) => String(one.id) === id);
  if (!found) throw new CertError('not-found', `there is no certificate ${id}`);
  return found;
}
