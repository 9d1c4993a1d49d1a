import { CertError } from '../core/cert-error.ts';
import { inSlices } from '../core/in-slices.ts';
import { FileRefusal, maxInternalFileBytes, readRegularFile } from '../storage/regular-file.ts';
import { type Certificate, readCertificate } from '../x509/certificate.ts';
import { type Content, openContent, pemContent } from '../x509/containers.ts';
import { isKeyBlock } from '../x509/keys.ts';
import { type ContentLimits, refuseMoreThan, usualLimits } from '../x509/limits.ts';
import { otherContent } from '../x509/no-certificate.ts';
import { isCertificateBlock, type PemBlock } from '../x509/pem.ts';

/** What a caller handed over, in the order of the file. */
export interface Upload {
  readonly certificates: readonly Certificate[];
  /** Not decoded yet: an endpoint that needs no key never looks at one. */
  readonly keyBlocks: readonly PemBlock[];
}

/** A text in PEM, or the blocks of it or of another form, which are parsed already. */
export type UploadContent = string | readonly PemBlock[];

/**
 * Content, or how to get it when its turn has come, and after the conditions that do not depend on it: a file is read then,
 * and what is being opened since it came is waited for.
 */
export type UploadSource = UploadContent | (() => Promise<UploadContent>);

export async function blocksOf(
  source: UploadSource,
  limits: ContentLimits,
): Promise<readonly PemBlock[]> {
  const content = typeof source === 'function' ? await source() : source;
  return typeof content === 'string' ? openContent(pemContent(content), limits) : content;
}

/**
 * The file that a caller names, to be read when its turn has come. A caller who may change one endpoint must not
 * get the key of another, or any file of root, by having the manager read it for him: a file must be the
 * caller's own, unless he could read what the manager can.
 * @param user number of the caller's user; `undefined` when it is not known
 */
export function fileOfCaller(
  path: string,
  maxBytes: number,
  user: number | undefined,
): () => Promise<string> {
  const readsAll = user === 0 || (user !== undefined && user === process.getuid?.());
  return () => readUploadFile(path, maxBytes, readsAll ? undefined : (user ?? Number.NaN));
}

/**
 * @param maxBytes the largest file that is read; a file of our own has no other limit than memory
 * @param owner the user whose file it must be; without it whose it is does not matter
 * @param flags of open(2), such as `noFollow`
 * @throws CertError `file-unreadable` when it is absent, no regular file, of another user or not readable,
 *   `file-empty`, `file-too-large`
 */
export async function readUploadFile(
  path: string,
  maxBytes: number = maxInternalFileBytes,
  owner?: number,
  flags = 0,
): Promise<string> {
  try {
    return await readRegularFile(path, maxBytes, flags, owner);
  } catch (cause) {
    throw cause instanceof FileRefusal ? refused(cause, maxBytes) : unreadable(cause);
  }
}

function refused({ reason }: FileRefusal, maxBytes: number): CertError {
  switch (reason) {
    case 'not-regular':
      return new CertError('file-unreadable', 'the path is not a regular file');
    case 'foreign':
      return new CertError('file-unreadable', 'the file does not belong to the caller');
    case 'changing':
      return new CertError('file-unreadable', 'the file is being written');
    case 'empty':
      return new CertError('file-empty', 'the file is empty');
    case 'too-large':
      return tooLarge(maxBytes);
  }
}

function unreadable(cause: unknown): CertError {
  return new CertError('file-unreadable', 'the file cannot be opened', { cause });
}

/**
 * An upload that came as bytes in a form that its caller names.
 * @throws CertError `file-empty`, `file-too-large`, and what `openContent` throws
 */
export function openUpload(
  content: Content,
  maxBytes: number,
  limits = usualLimits,
): readonly PemBlock[] {
  refuseSize(content, maxBytes);
  return openContent(content, limits);
}

/** @throws CertError `file-empty`, `file-too-large` */
export function refuseSize({ bytes }: Pick<Content, 'bytes'>, maxBytes: number): void {
  if (bytes.length === 0) throw new CertError('file-empty', 'the content is empty');
  if (bytes.length > maxBytes) throw tooLarge(maxBytes);
}

/** @throws CertError that names the first thing in the content that is not as it should be */
export function parseUpload(
  content: UploadContent,
  maxCertificates: number,
  limits = usualLimits,
): Upload {
  const { certificateBlocks, keyBlocks } = sorted(content, maxCertificates, limits);
  const certificates = certificateBlocks.map(({ der }) => readCertificate(der, limits));
  return { certificates, keyBlocks };
}

/** As `parseUpload`, for so many certificates that reading them would keep the event loop from all else. */
export async function parseBundle(
  content: UploadContent,
  maxCertificates: number,
  limits = usualLimits,
): Promise<Upload> {
  const { certificateBlocks, keyBlocks } = sorted(content, maxCertificates, limits);
  const certificates: Certificate[] = [];
  await inSlices(certificateBlocks, ({ der }) => {
    certificates.push(readCertificate(der, limits));
  });
  return { certificates, keyBlocks };
}

function sorted(content: UploadContent, maxCertificates: number, limits: ContentLimits) {
  const blocks = typeof content === 'string' ? openContent(pemContent(content), limits) : content;
  const certificateBlocks = blocks.filter(isCertificateBlock);
  if (certificateBlocks.length === 0) {
    throw otherContent(blocks.map(({ label }) => label));
  }
  refuseMoreThan(maxCertificates, certificateBlocks.length, 'certificates');
  const keyBlocks = blocks.filter(isKeyBlock);
  refuseMoreThan(limits.keys, keyBlocks.length, 'private keys');
  return { certificateBlocks, keyBlocks };
}

function tooLarge(limit: number): CertError {
  return new CertError('file-too-large', `the file is larger than ${limit} bytes`);
}
