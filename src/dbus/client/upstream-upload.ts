import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CertError } from '../../core/cert-error.ts';
import type { PublishedCertificate } from '../../manager/certificate-client.ts';
import { selectChain } from '../../manager/checks/chain.ts';
import { authorityChecks, enforce, leafChecks, pairChecks } from '../../manager/checks/checks.ts';
import { type KeySource, matchKey, presumedLeaf } from '../../manager/credential/pairing.ts';
import { parseBundle, parseUpload, refuseSize } from '../../manager/upload.ts';
import type { Content, OpenContent } from '../../x509/containers.ts';
import { exportPrivateKey } from '../../x509/keys.ts';
import type { UploadLimits } from '../certs/content.ts';

/** What phosphor-certificate-manager is to read. */
export interface UpstreamFile {
  readonly text: string;
  /** The certificate that its object will show, with what it does not show of the file. */
  readonly published: Omit<PublishedCertificate, 'id'>;
  /** False for a certificate whose key the manager has to have from its last request. */
  readonly hasKey: boolean;
}

/** With what an upload is opened, and how much of it; endpoints take turns. */
export interface Opening {
  readonly limits: UploadLimits;
  readonly openContent: OpenContent;
  readonly root: string;
}

/** By what we refuse before the manager does, which says no reason; the rest of its judgement is its own. */
const standards = {
  policy: { allowExpired: true, requireCa: true, maxRsaBits: Number.POSITIVE_INFINITY },
  securityLevel: 2,
};

const noKeys: KeySource = {
  async find() {
    return undefined;
  },
  async isEmpty() {
    return true;
  },
};

/**
 * A certificate of a server or client with its issuers and its key. The manager opens no container and no encrypted key,
 * and compares the key with the first certificate.
 * @param now seconds since 1970
 * @throws CertError
 */
export async function credentialFile(
  content: Content,
  opening: Opening,
  now = secondsNow(),
): Promise<UpstreamFile> {
  const { content: limits } = opening.limits;
  const blocks = await open(content, opening);
  const upload = parseUpload(blocks, limits.blocks, limits);
  const hasKey = upload.keyBlocks.length > 0;
  const match = hasKey ? await matchKey(upload, noKeys, now) : undefined;
  const leaf = match?.leaf ?? presumedLeaf(upload);
  const { chain, leftOut, fault } = selectChain(leaf, upload.certificates, now);
  if (fault !== undefined) throw new CertError('chain-signature', fault);
  enforce(leafChecks, { leaf, now, ...standards });
  if (match) enforce(pairChecks, { ...match, chain });
  const key = match ? exportPrivateKey(match.key) : '';
  const text = key + [leaf, ...chain].map(({ pem }) => pem).join('');
  const findings = leftOut.length > 0 && { findings: { warnings: [], leftOut, since: now } };
  return { text, published: { certificate: leaf, chain, ...findings }, hasKey };
}

/**
 * Each authority of an upload once, without any key: the manager would keep it, and show the first of a file alone.
 * @throws CertError
 */
export async function authorityFiles(
  content: Content,
  opening: Opening,
  now = secondsNow(),
): Promise<readonly UpstreamFile[]> {
  const { content: limits } = opening.limits;
  const blocks = await open(content, opening);
  const { certificates } = await parseBundle(blocks, limits.blocks, limits);
  for (const leaf of certificates)
    enforce(authorityChecks, { leaf, now, ...standards, signatureFault: undefined });
  const each = new Map(certificates.map((one) => [one.fingerprint, one]));
  return [...each.values()].map((certificate) => ({
    ...{ text: certificate.pem, published: { certificate, chain: [] }, hasKey: false },
  }));
}

/** Hands a text over as a file of its owner alone, which is gone afterwards. @throws CertError `storage` */
export async function asFile<T>(
  directory: string,
  text: string,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const path = join(directory, `${randomUUID()}.pem`);
  try {
    await writeFile(path, text, { mode: 0o600, flag: 'wx' }).catch((cause: unknown) => {
      const message = `the file for the certificate manager cannot be written in ${directory}`;
      throw new CertError('storage', message, { cause });
    });
    return await use(path);
  } finally {
    await rm(path, { force: true });
  }
}

async function open(content: Content, { limits, openContent, root }: Opening) {
  refuseSize(content, limits.uploadBytes);
  return openContent(content, limits.content, root);
}

function secondsNow(): number {
  return Math.floor(Date.now() / 1000);
}
