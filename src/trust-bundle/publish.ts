import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../storage/atomic-file.ts';
import { makeDirectory } from '../storage/directory.ts';
import { worldReadable } from '../storage/file-mode.ts';
import { codeOf } from '../storage/io-errors.ts';
import { faultOfFile, readRegularBytes } from '../storage/regular-file.ts';
import { type Certificate, subjectText } from '../x509/certificate.ts';
import { type Signer, signDetached } from '../x509/cms/sign.ts';
import { readBundleContent, sha256Of, sha256OfCa } from './bundle-content.ts';
import { BundleFault } from './bundle-fault.ts';
import { type Manifest, readManifest } from './manifest.ts';
import { day } from './schedule.ts';

/** What a publisher says of a new version. */
export interface Publication {
  readonly name: string;
  /** Files in PEM, and directories with such files below them, as Debian's /usr/share/ca-certificates. */
  readonly sources: readonly string[];
  /** Where the files for the server are written. */
  readonly directory: string;
  readonly signer: Signer;
  /** One more than that of the version in the directory without it. */
  readonly revision?: number;
  /** Until the server promises a new manifest. */
  readonly validDays: number;
  readonly constraints?: readonly {
    readonly sha256: string;
    readonly distrustIssuedAfter?: Date;
    readonly purposes?: readonly string[];
  }[];
  /** What is said of the CAs that are no longer there. */
  readonly removalReason?: string;
}

export interface Published {
  readonly revision: number;
  readonly count: number;
  /** Hexadecimal SHA-256 of certificates. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

const maxCertificates = 10_000;

/**
 * Writes the files of a version for a server: target, signatures, certificate of the signer, and the manifest last, which
 * names the others. A client that comes in between finds that they do not belong together, and comes again.
 * @throws BundleFault, and what the file system throws
 */
export async function publishBundle(publication: Publication, now: Date): Promise<Published> {
  const { name, sources, directory, signer, validDays, constraints = [] } = publication;
  checkSigner(signer, now);
  const before = await readPublished(directory, name);
  const found = await readSources(sources);
  const target = Buffer.from(found.map(({ pem }) => pem).join(''));
  const fingerprints = new Set(found.map(sha256OfCa));
  const old = before?.fingerprints ?? [];
  const removedNow = old.filter((sha256) => !fingerprints.has(sha256));
  const revision = publication.revision ?? (before?.manifest.revision ?? 0) + 1;
  if (before && revision <= before.manifest.revision)
    throw new BundleFault('rollback', `the directory has revision ${before.manifest.revision}`);
  // A CA that came back is not removed any more
  const kept = (before?.manifest.removed ?? []).filter(({ sha256 }) => !fingerprints.has(sha256));
  const { removalReason: reason = 'removed from the bundle' } = publication;
  const manifest = Buffer.from(
    `${JSON.stringify(
      {
        ...{ format: 1, name, revision },
        ...{ date: timeOf(now), nextUpdate: timeOf(new Date(now.getTime() + validDays * day)) },
        target: {
          path: name,
          length: target.length,
          sha256: sha256Of(target),
          count: found.length,
        },
        ...(constraints.length > 0 && {
          constraints: constraints.map(({ distrustIssuedAfter: time, ...one }) => ({
            ...one,
            ...(time && { distrustIssuedAfter: timeOf(time) }),
          })),
        }),
        removed: [...kept, ...removedNow.map((sha256) => ({ sha256, reason }))],
        minClient: 1,
      },
      null,
      2,
    )}\n`,
  );
  // What clients would refuse is not published
  readManifest(manifest, name);
  const chain = [signer.certificate, ...signer.intermediates].map(({ pem }) => pem).join('');
  const files: readonly (readonly [string, Buffer | string])[] = [
    [name, target],
    [`${name}.p7s`, signDetached(target, signer, now)],
    ['signer.crt', chain],
    ['manifest.json.p7s', signDetached(manifest, signer, now)],
    ['manifest.json', manifest],
  ];
  await makeDirectory(directory, worldReadable);
  for (const [file, content] of files)
    await writeFileAtomic(join(directory, file), content, worldReadable);
  const had = new Set(old);
  const added = [...fingerprints].filter((sha256) => !had.has(sha256));
  return { revision, count: found.length, added, removed: removedNow };
}

/** As manifests have it. */
function timeOf(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

function checkSigner({ certificate, key }: Signer, now: Date): void {
  const seconds = now.getTime() / 1000;
  const refuse = (reason: string) =>
    new BundleFault('signer-unfit', `the certificate ${subjectText(certificate)} ${reason}`);
  if (!certificate.x509.checkPrivateKey(key)) throw refuse('does not belong to the key');
  if (seconds < certificate.notBefore || seconds > certificate.notAfter)
    throw refuse('is not valid now');
  if (certificate.isCa) throw refuse('is a CA, and clients take an end entity alone');
  if (!certificate.usages.bits?.includes('DigitalSignature'))
    throw refuse('lacks digitalSignature in its keyUsage');
  if (!certificate.usages.purposes) throw refuse('lacks an extendedKeyUsage, such as codeSigning');
}

/** Different CAs, ordered by fingerprint, so that the same ones make the same target. */
async function readSources(sources: readonly string[]): Promise<readonly Certificate[]> {
  const found = new Map<string, Certificate>();
  for (const path of await filesOf(sources)) {
    try {
      const bytes = await readRegularBytes(path);
      for (const one of (await readBundleContent(bytes, maxCertificates)).certificates)
        found.set(sha256OfCa(one), one);
    } catch (cause) {
      const reason = cause instanceof BundleFault ? cause.message : faultOfFile(cause);
      if (reason === undefined) throw cause;
      throw new BundleFault('bundle-malformed', `${path}: ${reason}`, { cause });
    }
  }
  if (found.size === 0) throw new BundleFault('empty', 'there is no CA to publish');
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, certificate]) => certificate);
}

async function filesOf(sources: readonly string[]): Promise<readonly string[]> {
  const files: string[] = [];
  for (const source of sources) {
    if (!(await stat(source)).isDirectory()) files.push(source);
    else
      for (const name of (await readdir(source, { recursive: true })).sort())
        if (/\.(crt|pem)$/.test(name)) files.push(join(source, name));
  }
  return files;
}

/** What a directory has of the version before. */
async function readPublished(
  directory: string,
  name: string,
): Promise<{ readonly manifest: Manifest; readonly fingerprints: readonly string[] } | undefined> {
  try {
    const manifest = readManifest(await readRegularBytes(join(directory, 'manifest.json')), name);
    const target = await readRegularBytes(join(directory, manifest.target.path));
    const { certificates } = await readBundleContent(target, maxCertificates);
    return { manifest, fingerprints: certificates.map(sha256OfCa) };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
