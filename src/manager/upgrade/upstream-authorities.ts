import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { tryReadRegularFile } from '../../storage/regular-file.ts';
import { type Certificate, readCertificate } from '../../x509/certificate.ts';
import type { ContentLimits } from '../../x509/limits.ts';
import { parsePem } from '../../x509/pem.ts';

/** Upstream's `authorities-list-name`: all authorities in one file. */
export const bundleFile = 'trust_bundle';

/**
 * The authorities that phosphor-certificate-manager had in a directory, each once: the first certificate
 * of every regular file, in the order of the names. Its bundle counts only where there is nothing else,
 * as after a ReplaceAll that failed: it still lists what was deleted, and lacks what was added since.
 */
export async function readUpstreamDirectory(
  directory: string,
  limits: ContentLimits,
): Promise<Certificate[]> {
  const found = await readFirstCertificates(directory, limits, (name) => name !== bundleFile);
  if (found.length > 0) return found;
  return distinct(await readCertificates(join(directory, bundleFile), limits));
}

/**
 * What phosphor-certificate-manager made of a directory of ours where it ran in between: it removes all files of
 * ours. Hidden ones are left from a crash of ours, and the bundle may be.
 */
export function readUpstreamFilesAmongOurs(
  directory: string,
  limits: ContentLimits,
): Promise<Certificate[]> {
  const counts = (name: string) => name !== bundleFile && !name.startsWith('.');
  return readFirstCertificates(directory, limits, counts);
}

async function readFirstCertificates(
  directory: string,
  limits: ContentLimits,
  counts: (name: string) => boolean,
): Promise<Certificate[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  const found: Certificate[] = [];
  for (const name of files.filter(counts).sort()) {
    found.push(...(await readCertificates(join(directory, name), limits)).slice(0, 1));
  }
  return distinct(found);
}

/**
 * The certificates in a file that can be read, whatever else is in it.
 * @throws what the file system throws when it gives no answer
 */
export async function readCertificates(
  path: string,
  limits: ContentLimits,
): Promise<Certificate[]> {
  const text = await tryReadRegularFile(path);
  try {
    const blocks = parsePem(text ?? '', limits);
    return blocks
      .filter(({ label }) => label === 'CERTIFICATE')
      .flatMap(({ der }) => readOne(der, limits));
  } catch {
    return [];
  }
}

function readOne(der: Buffer, limits: ContentLimits): Certificate[] {
  try {
    return [readCertificate(der, limits)];
  } catch {
    return [];
  }
}

/** Each certificate once, at its first place. */
export function distinct(certificates: readonly Certificate[]): Certificate[] {
  return [...new Map(certificates.map((one) => [one.fingerprint, one])).values()];
}
