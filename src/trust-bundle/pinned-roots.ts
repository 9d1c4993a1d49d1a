import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CertError } from '../core/cert-error.ts';
import { codeOf } from '../storage/io-errors.ts';
import { faultOfFile, readRegularFile } from '../storage/regular-file.ts';
import { type Certificate, readCertificate } from '../x509/certificate.ts';
import { isCertificateBlock, parsePem } from '../x509/pem.ts';
import { BundleFault } from './bundle-fault.ts';

const maxBytes = 1024 * 1024;
const maxFiles = 100;

/**
 * The roots of the product, which the bundle itself never changes.
 * @param path of a file in PEM, or of a directory with such files as `*.pem` and `*.crt`
 * @returns none where there is no such file, and for an empty directory
 * @throws BundleFault `pinned-roots`
 */
export async function readPinnedRoots(path: string): Promise<readonly Certificate[]> {
  try {
    const files = (await stat(path)).isDirectory() ? await filesIn(path) : [path];
    const roots: Certificate[] = [];
    for (const file of files) {
      const blocks = parsePem(await readRegularFile(file, maxBytes)).filter(isCertificateBlock);
      roots.push(...blocks.map(({ der }) => readCertificate(der)));
    }
    return roots;
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return [];
    const reason = cause instanceof CertError ? cause.message : faultOfFile(cause);
    throw new BundleFault(
      'pinned-roots',
      `the pinned roots at ${path} cannot be read: ${reason ?? codeOf(cause)}`,
      { cause },
    );
  }
}

async function filesIn(directory: string): Promise<readonly string[]> {
  const names = (await readdir(directory)).filter((name) => /\.(pem|crt)$/.test(name)).sort();
  return names.slice(0, maxFiles).map((name) => join(directory, name));
}
