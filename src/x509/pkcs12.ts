import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { CertError } from '../core/cert-error.ts';
import { type ElementBudget, toDer } from './ber.ts';
import {
  type Asn1,
  bytesOf,
  childrenOf,
  contextTag,
  DerError,
  DerSizeError,
  decode,
  encode,
  oidOf,
} from './der.ts';
import {
  deriveKey,
  derivePkcs12Key,
  type KeyDerivation,
  pkcs12Passwords,
  purposes,
  RoundBudget,
} from './key-derivation.ts';
import { maxElementsOfContainer, refuseMoreThan, usualLimits } from './limits.ts';
import { hmacHashes, keyDerivation, numberOf, passwordDecryption } from './password-encryption.ts';

/** What a PKCS #12 file holds, each in DER: certificates, and keys as PKCS #8. */
export interface Pkcs12Content {
  readonly certificates: readonly Buffer[];
  readonly keys: readonly Buffer[];
}

const data = '1.2.840.113549.1.7.1';
const encryptedData = '1.2.840.113549.1.7.6';
const x509Certificate = '1.2.840.113549.1.9.22.1';
const pbmac1 = '1.2.840.113549.1.5.14';

/** RFC 7292 §4.2; CRLs and secrets are left out. */
const bags = {
  key: '1.2.840.113549.1.12.10.1.1',
  shroudedKey: '1.2.840.113549.1.12.10.1.2',
  certificate: '1.2.840.113549.1.12.10.1.3',
  safeContents: '1.2.840.113549.1.12.10.1.6',
} as const;

const macHashes: Readonly<Record<string, string>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.4': 'sha224',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

/** What one file may still cost, and what was found in it. */
interface Opening {
  readonly password: string;
  readonly budget: RoundBudget;
  readonly elements: ElementBudget;
  readonly certificates: Buffer[];
  readonly keys: Buffer[];
}

/**
 * Opens a PKCS #12 file (RFC 7292), also one in BER as other systems write it.
 * @param budget what the password may still cost
 * @throws CertError `container-malformed`, `password-wrong`, `key-derivation-limit`, `too-many-certificates`
 */
export function readPkcs12(
  content: Uint8Array,
  password: string,
  limits = usualLimits,
  budget = new RoundBudget(limits.derivationRounds, limits),
): Pkcs12Content {
  const max = maxElementsOfContainer(limits);
  const opening: Opening = {
    password,
    budget,
    elements: { left: max, max },
    certificates: [],
    keys: [],
  };
  try {
    const [, authSafe, mac] = childrenOf(read(opening, content));
    const contents = octetsOf(contentOf(authSafe, data));
    if (mac) verifyMac(mac, contents, opening);
    for (const info of childrenOf(read(opening, contents))) readContent(opening, info);
  } catch (cause) {
    if (cause instanceof CertError) throw cause;
    const fault = cause instanceof DerSizeError ? `: ${cause.message}` : '';
    const message = `the PKCS #12 file cannot be read${fault}`;
    throw new CertError('container-malformed', message, { cause });
  }
  const { certificates, keys } = opening;
  refuseMoreThan(limits.blocks, certificates.length, 'certificates');
  refuseMoreThan(limits.keys, keys.length, 'private keys');
  return { certificates, keys };
}

/** One element in BER. */
function read({ elements }: Opening, bytes: Uint8Array): Asn1 {
  return decode(toDer(bytes, elements), elements.max);
}

/** RFC 7292 §4.1 */
function readContent(opening: Opening, info: Asn1): void {
  const type = oidOf(childrenOf(info)[0]);
  if (type === data) {
    readBags(opening, read(opening, octetsOf(contentOf(info, data))));
    return;
  }
  const [, content] = childrenOf(contentOf(info, encryptedData));
  const [, algorithm, encrypted] = childrenOf(content);
  readBags(opening, decrypted(opening, algorithm, octetsOf(encrypted), read));
}

function readBags(opening: Opening, safeContents: Asn1): void {
  for (const bag of childrenOf(safeContents)) {
    const [id, explicit] = childrenOf(bag);
    const [value] = childrenOf(explicit);
    if (!value) throw new DerError('a bag without content');
    switch (oidOf(id)) {
      case bags.key:
        opening.keys.push(encode(value));
        break;
      case bags.shroudedKey: {
        const [algorithm, encrypted] = childrenOf(value);
        const toKey = (_: Opening, plain: Buffer) => toDer(plain, opening.elements);
        opening.keys.push(decrypted(opening, algorithm, octetsOf(encrypted), toKey));
        break;
      }
      case bags.certificate: {
        const [type, content] = childrenOf(value);
        if (oidOf(type) === x509Certificate)
          opening.certificates.push(octetsOf(childrenOf(content)[0]));
        break;
      }
      case bags.safeContents:
        readBags(opening, value);
        break;
    }
  }
}

/**
 * @param as reads what was encrypted; what the wrong password gives is hardly ever ASN.1
 * @throws CertError `password-wrong`
 */
function decrypted<T>(
  opening: Opening,
  algorithm: Asn1 | undefined,
  encrypted: Buffer,
  as: (opening: Opening, plain: Buffer) => T,
): T {
  const decrypt = passwordDecryption(algorithm, opening.budget);
  for (const plain of decrypt(encrypted, opening.password)) {
    try {
      return as(opening, plain);
    } catch (error) {
      if (!(error instanceof DerError) || error instanceof DerSizeError) throw error;
    }
  }
  throw wrongPassword(opening);
}

/** RFC 7292 §4 and, with PBMAC1, RFC 9579. @throws CertError `password-wrong` */
function verifyMac(macData: Asn1, contents: Buffer, opening: Opening): void {
  const { password, budget } = opening;
  const [digestInfo, salt, iterations] = childrenOf(macData);
  const [algorithm, expected] = childrenOf(digestInfo);
  const [id, parameters] = childrenOf(algorithm);
  const matches = (hash: string, key: Buffer) => {
    const actual = createHmac(hash, key).update(contents).digest();
    const stated = bytesOf(expected);
    return actual.length === stated.length && timingSafeEqual(actual, stated);
  };
  if (oidOf(id) === pbmac1) {
    const [derivationId, scheme] = childrenOf(parameters);
    const derivation = keyDerivation(derivationId);
    budget.spendOn(derivation);
    const hash = known(hmacHashes, oidOf(childrenOf(scheme)[0]));
    if (matches(hash, deriveKey(derivation, password, keyBytesOf(derivation)))) return;
    throw wrongPassword(opening);
  }
  const hash = known(macHashes, oidOf(id));
  const rounds = iterations ? numberOf(iterations) : 1;
  budget.spend(rounds);
  const derivation = { hash, salt: bytesOf(salt), rounds };
  const isRight = pkcs12Passwords(password).some((form) =>
    matches(hash, derivePkcs12Key(derivation, purposes.mac, form, digestBytes(hash))),
  );
  if (!isRight) throw wrongPassword(opening);
}

/** No digest is longer; a longer key costs more rounds than are stated. */
const maxMacKeyBytes = 64;

/** RFC 9579 §5: the length of the key of a MAC must be stated. */
function keyBytesOf({ keyBytes }: KeyDerivation): number {
  if (keyBytes !== undefined && keyBytes <= maxMacKeyBytes) return keyBytes;
  const length = keyBytes === undefined ? 'no stated length' : `${keyBytes} bytes`;
  throw new CertError('container-malformed', `the MAC has a key of ${length}`);
}

/** The content of a ContentInfo (RFC 5652 §3). @throws DerError when it is of another type */
function contentOf(info: Asn1 | undefined, type: string): Asn1 {
  const [id, explicit] = childrenOf(info);
  const [content] = childrenOf(explicit);
  if (oidOf(id) !== type || !content) throw new DerError(`no content of type ${type}`);
  return content;
}

/** An octet string, also with an implicit tag, and then perhaps in pieces. */
function octetsOf(node: Asn1 | undefined): Buffer {
  if (contextTag(node) === undefined || typeof node?.value === 'string') return bytesOf(node);
  return Buffer.concat(childrenOf(node).map(bytesOf));
}

function known(hashes: Readonly<Record<string, string>>, id: string): string {
  const hash = hashes[id];
  if (hash !== undefined) return hash;
  throw new CertError('container-malformed', `the MAC ${id} is not known`);
}

function digestBytes(hash: string): number {
  return createHash(hash).digest().length;
}

function wrongPassword({ password }: Opening): CertError {
  const fault = password === '' ? 'needs a password' : 'does not open with the password';
  return new CertError('password-wrong', `the PKCS #12 file ${fault}`);
}
