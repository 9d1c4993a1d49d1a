import { CertError } from '../core/cert-error.ts';
import { toDer } from './ber.ts';
import { formOf } from './content-form.ts';
import { bytesOf, childrenOf, contextTag, DerSizeError, decode, encode, oidOf } from './der.ts';
import { quickRounds, RoundBudget } from './key-derivation.ts';
import { openPrivateKey } from './keys.ts';
import {
  type ContentLimits,
  maxElementsOfContainer,
  refuseMoreThan,
  usualLimits,
} from './limits.ts';
import { unknownContent } from './no-certificate.ts';
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

/**
 * Opens content that may take many rounds where they hold nothing up.
 * @param owner for whom; owners take turns
 * @returns at once what is quick. @throws CertError as `openContent`, `busy`
 */
export type OpenContent = (
  content: Content,
  limits: ContentLimits,
  owner: string,
) => readonly PemBlock[] | Promise<readonly PemBlock[]>;

/** A text in PEM that needs no password. */
export function pemContent(pem: string): Content {
  return { bytes: Buffer.from(pem), format: 'PEM', password: '' };
}

const signedData = '1.2.840.113549.1.7.2';

/**
 * What is in it as PEM blocks, as the rest of the manager takes it; keys and containers are opened with the password.
 * The form is that of the bytes, perhaps in base64: what the caller says of it decides only how anything else is refused.
 * @param rounds of key derivation that it may take, of the `derivationRounds` of the limits; few unless they are given
 * @throws CertError `no-certificate` where it is none of them, `container-malformed`, `password-wrong`,
 *   `key-derivation-limit`, `pem-malformed`
 */
export function openContent(
  content: Content,
  limits = usualLimits,
  rounds = quickRounds,
): readonly PemBlock[] {
  const bytes = withoutBase64(content.bytes);
  const form = formOf(bytes);
  const budget = new RoundBudget(Math.min(rounds, limits.derivationRounds), limits);
  const opening: Opening = { password: content.password, limits, budget };
  switch (form) {
    case 'PEM':
      return openText(bytes, content.format, opening);
    case 'DER':
    case 'PKCS7':
    case 'PKCS12':
      return openDer(bytes, form, opening);
    default:
      return openBlocks([pemBlock(form, bytes)], opening);
  }
}

/** The same for a caller who does not say which form it is. @throws CertError as `openContent` */
export function openAnyContent(bytes: Buffer, password: string): readonly PemBlock[] {
  return openContent({ bytes, format: 'PEM', password });
}

/** @throws CertError `format-unknown` */
export function parseFormat(text: string): ContentFormat {
  const found = contentFormats.find((format) => format === text);
  if (found) return found;
  throw new CertError('format-unknown', `Format is none of ${contentFormats.join(', ')}`);
}

/** The bytes themselves, or what is in them where they are base64 without the lines of PEM, or of a file with them. */
export function withoutBase64(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1').trim();
  if (!/^[A-Za-z0-9+/\s]+={0,2}$/.test(text)) return bytes;
  const decoded = Buffer.from(text, 'base64');
  return formOf(decoded) !== 'PEM' || decoded.includes('-----BEGIN ') ? decoded : bytes;
}

interface Opening {
  readonly password: string;
  readonly limits: ContentLimits;
  /** For all blocks of a text, whatever they hold. */
  readonly budget: RoundBudget;
}

function openText(bytes: Buffer, format: ContentFormat, opening: Opening): readonly PemBlock[] {
  const blocks = parsePem(bytes.toString('utf8'), opening.limits);
  if (blocks.length > 0) return openBlocks(blocks, opening);
  if (format === 'PEM') throw unknownContent(bytes);
  return openDer(bytes, format, opening);
}

function openBlocks(blocks: readonly PemBlock[], opening: Opening): readonly PemBlock[] {
  const { password, limits, budget } = opening;
  const opened = blocks.flatMap((block) => {
    // Under any label: the web enrolment of Windows calls PKCS #7 a certificate, others a certificate chain
    const form = block.encrypted ? undefined : formOf(block.der);
    if (form === 'PKCS7' || form === 'PKCS12') return openDer(block.der, form, opening);
    return password !== '' && isEncryptedKey(block) ? decryptKey(block, password, budget) : block;
  });
  refuseMoreThan(limits.blocks, opened.length, 'PEM blocks');
  return opened;
}

function openDer(
  der: Buffer,
  form: Exclude<ContentFormat, 'PEM'>,
  opening: Opening,
): readonly PemBlock[] {
  switch (form) {
    case 'DER':
      return [pemBlock('CERTIFICATE', der)];
    case 'PKCS7':
      return certificatesOfPkcs7(der, opening.limits);
    case 'PKCS12':
      return openPkcs12(der, opening);
  }
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

/** The certificates of a SignedData, signed or not (RFC 2315 §9.1), in DER or BER; its signatures do not matter here. */
function certificatesOfPkcs7(der: Uint8Array, limits: ContentLimits): PemBlock[] {
  try {
    const max = maxElementsOfContainer(limits);
    const [type, content] = childrenOf(decode(toDer(der, { left: max, max }), max));
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

function openPkcs12(bytes: Buffer, { password, limits, budget }: Opening): PemBlock[] {
  const { certificates, keys } = readPkcs12(bytes, password, limits, budget);
  return [
    ...keys.map((key) => pemBlock('PRIVATE KEY', key)),
    ...certificates.map((certificate) => pemBlock('CERTIFICATE', certificate)),
  ];
}
