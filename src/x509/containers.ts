import { CertError } from '../core/cert-error.ts';
import { bytesOf, childrenOf, contextTag, DerSizeError, decode, encode, oidOf } from './der.ts';
import { RoundBudget } from './key-derivation.ts';
import { openPrivateKey } from './keys.ts';
import {
  type ContentLimits,
  maxElementsOfContainer,
  refuseMoreThan,
  usualLimits,
} from './limits.ts';
import { type Decrypt, decryptTraditional, passwordDecryption } from './password-encryption.ts';
import { type PemBlock, parsePem, pemBlock } from './pem.ts';
import { readPkcs12 } from './pkcs12.ts';

/** The forms in which a certificate, and its key, may be handed over. */
export const contentFormats = ['PEM', 'DER', 'PKCS7', 'PKCS12'] as const;
export type ContentFormat = (typeof contentFormats)[number];

/** What a caller hands over when it says which form it has. */
export interface Content {
  readonly bytes: Buffer;
  readonly format: ContentFormat;
  /** Opens the key or the container; empty for none. */
  readonly password: string;
}

/** A text in PEM that needs no password. */
export function pemContent(pem: string): Content {
  return { bytes: Buffer.from(pem), format: 'PEM', password: '' };
}

/** Rounds of key derivation for the keys of a whole upload; they take up to a second. */
const maxRounds = 600_000;

const signedData = '1.2.840.113549.1.7.2';

/**
 * What is in it as PEM blocks, as the rest of the manager takes it; keys and containers are opened with the password.
 * @throws CertError `container-malformed`, `password-wrong`, `pem-malformed`
 */
export function openContent(
  { bytes, format, password }: Content,
  limits = usualLimits,
): readonly PemBlock[] {
  switch (format) {
    case 'PEM':
      return openPem(bytes, password, limits);
    case 'DER':
      return [pemBlock('CERTIFICATE', bytes)];
    case 'PKCS7':
      return bytes.includes('-----BEGIN ')
        ? openPem(bytes, '', limits)
        : certificatesOfPkcs7(bytes, limits);
    case 'PKCS12':
      return openPkcs12(bytes, password, limits);
  }
}

/** @throws CertError `format-unknown` */
export function parseFormat(text: string): ContentFormat {
  const found = contentFormats.find((format) => format === text);
  if (found) return found;
  throw new CertError('format-unknown', `Format is none of ${contentFormats.join(', ')}`);
}

function openPem(bytes: Buffer, password: string, limits: ContentLimits): readonly PemBlock[] {
  const budget = new RoundBudget(maxRounds, limits);
  const blocks = parsePem(bytes.toString('utf8'), limits).flatMap((block) => {
    if (block.label === 'PKCS7') return certificatesOfPkcs7(block.der, limits);
    return password !== '' && isEncryptedKey(block) ? decryptKey(block, password, budget) : block;
  });
  refuseMoreThan(limits.blocks, blocks.length, 'PEM blocks');
  return blocks;
}

function isEncryptedKey({ label, encrypted }: PemBlock): boolean {
  return encrypted || label === 'ENCRYPTED PRIVATE KEY';
}

function decryptKey(
  { label, der, text }: PemBlock,
  password: string,
  budget: RoundBudget,
): PemBlock {
  try {
    const key =
      label === 'ENCRYPTED PRIVATE KEY'
        ? decryptPkcs8(der, password, budget)
        : decryptTraditional(text, der, password, budget);
    if (!key) throw wrongPassword();
    return pemBlock('PRIVATE KEY', openPrivateKey(key).export({ type: 'pkcs8', format: 'der' }));
  } catch (error) {
    if (error instanceof CertError) throw error;
    throw wrongPassword();
  }
}

const maxElementsOfEncryptedKey = 100;

/** EncryptedPrivateKeyInfo (RFC 5958 §3) */
function decryptPkcs8(der: Uint8Array, password: string, budget: RoundBudget): Buffer | undefined {
  const [decrypt, encrypted] = encryptedKey(der, budget);
  const [key] = decrypt(encrypted, password);
  return key;
}

function encryptedKey(der: Uint8Array, budget: RoundBudget): readonly [Decrypt, Buffer] {
  try {
    const [algorithm, encrypted] = childrenOf(decode(der, maxElementsOfEncryptedKey));
    return [passwordDecryption(algorithm, budget), bytesOf(encrypted)];
  } catch (cause) {
    if (cause instanceof CertError) throw cause;
    const message = 'the encrypted private key cannot be read';
    throw new CertError('container-malformed', message, { cause });
  }
}

function wrongPassword(): CertError {
  return new CertError('password-wrong', 'the password does not open the private key');
}

/** The certificates of a SignedData, signed or not (RFC 2315 §9.1); its signatures do not matter here. */
function certificatesOfPkcs7(der: Uint8Array, limits: ContentLimits): PemBlock[] {
  try {
    const [type, content] = childrenOf(decode(der, maxElementsOfContainer(limits)));
    if (oidOf(type) !== signedData) throw new TypeError('no SignedData');
    const fields = childrenOf(childrenOf(content)[0]);
    const certificates = fields.find((field) => contextTag(field) === 0);
    refuseMoreThan(limits.blocks, childrenOf(certificates).length, 'certificates');
    return childrenOf(certificates).map((certificate) =>
      pemBlock('CERTIFICATE', encode(certificate)),
    );
  } catch (cause) {
    if (cause instanceof CertError) throw cause;
    const fault = cause instanceof DerSizeError ? `: ${cause.message}` : '';
    const message = `the file is no PKCS #7 with certificates${fault}`;
    throw new CertError('container-malformed', message, { cause });
  }
}

function openPkcs12(bytes: Buffer, password: string, limits: ContentLimits): PemBlock[] {
  const { certificates, keys } = readPkcs12(bytes, password, limits);
  return [
    ...keys.map((key) => pemBlock('PRIVATE KEY', key)),
    ...certificates.map((certificate) => pemBlock('CERTIFICATE', certificate)),
  ];
}
