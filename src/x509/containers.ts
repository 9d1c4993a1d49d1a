import { CertError } from '../core/cert-error.ts';
import { bytesOf, childrenOf, contextTag, DerSizeError, decode, encode, oidOf } from './der.ts';
import { RoundBudget } from './key-derivation.ts';
import { exportPrivateKey, openPrivateKey } from './keys.ts';
import { contentLimits, maxElementsOfContainer, refuseMoreThan } from './limits.ts';
import { type Decrypt, decryptTraditional, passwordDecryption } from './password-encryption.ts';
import { formatPem, type PemBlock, parsePem } from './pem.ts';
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
 * The same in PEM, as the rest of the manager takes it. What is PEM already is left as it is, but for
 * keys and containers that the password opens.
 * @throws CertError `container-malformed`, `password-wrong`, `pem-malformed`
 */
export function toPem({ bytes, format, password }: Content): string {
  switch (format) {
    case 'PEM':
      return openPem(bytes.toString('utf8'), password);
    case 'DER':
      return formatPem('CERTIFICATE', bytes);
    case 'PKCS7':
      return isPem(bytes) ? openPem(bytes.toString('utf8'), '') : certificatesOfPkcs7(bytes);
    case 'PKCS12':
      return openPkcs12(bytes, password);
  }
}

/** @throws CertError `format-unknown` */
export function parseFormat(text: string): ContentFormat {
  const found = contentFormats.find((format) => format === text);
  if (found) return found;
  throw new CertError('format-unknown', `Format is none of ${contentFormats.join(', ')}`);
}

function openPem(text: string, password: string): string {
  const special = (block: PemBlock) =>
    block.label === 'PKCS7' || (password !== '' && isEncryptedKey(block));
  const blocks = parsePem(text);
  if (!blocks.some(special)) return text;
  const budget = new RoundBudget(maxRounds);
  return blocks
    .map((block) => {
      if (block.label === 'PKCS7') return certificatesOfPkcs7(block.der);
      return special(block) ? decryptKey(block, password, budget) : block.text;
    })
    .join('');
}

function isEncryptedKey({ label, encrypted }: PemBlock): boolean {
  return encrypted || label === 'ENCRYPTED PRIVATE KEY';
}

function decryptKey({ label, der, text }: PemBlock, password: string, budget: RoundBudget): string {
  try {
    const key =
      label === 'ENCRYPTED PRIVATE KEY'
        ? decryptPkcs8(der, password, budget)
        : decryptTraditional(text, der, password, budget);
    if (!key) throw wrongPassword();
    return exportPrivateKey(openPrivateKey(key));
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
function certificatesOfPkcs7(der: Uint8Array): string {
  const { blocks } = contentLimits();
  try {
    const [type, content] = childrenOf(decode(der, maxElementsOfContainer()));
    if (oidOf(type) !== signedData) throw new TypeError('no SignedData');
    const fields = childrenOf(childrenOf(content)[0]);
    const certificates = fields.find((field) => contextTag(field) === 0);
    refuseMoreThan(blocks, childrenOf(certificates).length, 'certificates');
    return childrenOf(certificates)
      .map((certificate) => formatPem('CERTIFICATE', encode(certificate)))
      .join('');
  } catch (cause) {
    if (cause instanceof CertError) throw cause;
    const fault = cause instanceof DerSizeError ? `: ${cause.message}` : '';
    const message = `the file is no PKCS #7 with certificates${fault}`;
    throw new CertError('container-malformed', message, { cause });
  }
}

function openPkcs12(bytes: Buffer, password: string): string {
  const { certificates, keys } = readPkcs12(bytes, password);
  return [
    ...keys.map((key) => formatPem('PRIVATE KEY', key)),
    ...certificates.map((certificate) => formatPem('CERTIFICATE', certificate)),
  ].join('');
}

function isPem(bytes: Buffer): boolean {
  return bytes.includes('-----BEGIN ');
}
