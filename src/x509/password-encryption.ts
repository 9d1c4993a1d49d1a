import { createDecipheriv, createHash } from 'node:crypto';
import { CertError } from '../core/cert-error.ts';
import { type Asn1, bytesOf, childrenOf, DerError, oidOf, tags, universalTag } from './der.ts';
import {
  deriveKey,
  derivePkcs12Key,
  type KeyDerivation,
  type Pkcs12Derivation,
  pkcs12Passwords,
  purposes,
  type RoundBudget,
} from './key-derivation.ts';
import { decryptRc2 } from './rc2.ts';

/**
 * Decrypts what a password encrypted. What it gives ends as it should, which one in 256 wrong keys comes to as well: an
 * empty password has two forms, and the first one to give something need not be the right one.
 */
export type Decrypt = (encrypted: Buffer, password: string) => Iterable<Buffer>;

/** Encryption with the key derivation of PKCS #12 (RFC 7292 §C). */
const pkcs12Schemes: Readonly<
  Record<string, { readonly keyBytes: number; readonly isRc2: boolean }>
> = {
  '1.2.840.113549.1.12.1.3': { keyBytes: 24, isRc2: false },
  '1.2.840.113549.1.12.1.4': { keyBytes: 16, isRc2: false },
  '1.2.840.113549.1.12.1.5': { keyBytes: 16, isRc2: true },
  '1.2.840.113549.1.12.1.6': { keyBytes: 5, isRc2: true },
};

/** RFC 8018 §6.2 */
const pbes2 = '1.2.840.113549.1.5.13';
const pbkdf2 = '1.2.840.113549.1.5.12';
const scrypt = '1.3.6.1.4.1.11591.4.11';

const ciphers: Readonly<Record<string, { readonly name: string; readonly keyBytes: number }>> = {
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', keyBytes: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', keyBytes: 24 },
  '2.16.840.1.101.3.4.1.42': { name: 'aes-256-cbc', keyBytes: 32 },
  '1.2.840.113549.3.7': { name: 'des-ede3-cbc', keyBytes: 24 },
};

/** HMAC with each of them is a pseudo-random function of PBKDF2, and a MAC (RFC 8018 §B.1.2). */
export const hmacHashes: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.8': 'sha224',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
};

/**
 * Reads an AlgorithmIdentifier for encryption with a password.
 * @throws CertError `container-malformed` for a scheme that is not known, `key-derivation-limit`
 * @throws DerError
 */
export function passwordDecryption(algorithm: Asn1 | undefined, budget: RoundBudget): Decrypt {
  const [id, parameters] = childrenOf(algorithm);
  const scheme = oidOf(id);
  if (scheme === pbes2) return pbes2Decryption(parameters, budget);
  const known = pkcs12Schemes[scheme];
  if (!known) throw unknown(`the encryption ${scheme}`);
  const [salt, rounds] = childrenOf(parameters);
  const derivation = { hash: 'sha1', salt: bytesOf(salt), rounds: numberOf(rounds) };
  // The key takes as many digests in a row as it has lengths of SHA-1, and the initialization vector one more
  budget.spend(derivation.rounds * (Math.ceil(known.keyBytes / 20) + 1));
  return (encrypted, password) => decryptPkcs12(known, derivation, encrypted, password);
}

function* decryptPkcs12(
  { keyBytes, isRc2 }: { readonly keyBytes: number; readonly isRc2: boolean },
  derivation: Pkcs12Derivation,
  encrypted: Buffer,
  password: string,
): Iterable<Buffer> {
  for (const form of pkcs12Passwords(password)) {
    const key = derivePkcs12Key(derivation, purposes.key, form, keyBytes);
    const iv = derivePkcs12Key(derivation, purposes.iv, form, 8);
    const plain = isRc2
      ? withoutPadding(encrypted, (data) => decryptRc2(key, iv, data))
      : decipher('des-ede3-cbc', threeKeys(key), iv, encrypted);
    if (plain) yield plain;
  }
}

function pbes2Decryption(parameters: Asn1 | undefined, budget: RoundBudget): Decrypt {
  const [derivationId, encryption] = childrenOf(parameters);
  const derivation = keyDerivation(derivationId);
  budget.spendOn(derivation);
  const [id, iv] = childrenOf(encryption);
  const cipher = ciphers[oidOf(id)];
  if (!cipher) throw unknown(`the cipher ${oidOf(id)}`);
  const ivBytes = bytesOf(iv);
  return (encrypted, password) => {
    const key = deriveKey(derivation, password, cipher.keyBytes);
    const plain = decipher(cipher.name, key, ivBytes, encrypted);
    return plain ? [plain] : [];
  };
}

/** The names come out of a file, and must not find what every object has. */
const traditionalCiphers = new Map([
  ['AES-128-CBC', { name: 'aes-128-cbc', keyBytes: 16 }],
  ['AES-192-CBC', { name: 'aes-192-cbc', keyBytes: 24 }],
  ['AES-256-CBC', { name: 'aes-256-cbc', keyBytes: 32 }],
  ['DES-EDE3-CBC', { name: 'des-ede3-cbc', keyBytes: 24 }],
]);

/**
 * OpenSSL's traditional form of an encrypted key: headers of RFC 1421, and one round of MD5, as EVP_BytesToKey(3) says.
 * @returns `undefined` when the password does not open it
 * @throws CertError `container-malformed` for a cipher that is not known, `key-derivation-limit`
 */
export function decryptTraditional(
  text: string,
  encrypted: Buffer,
  password: string,
  budget: RoundBudget,
): Buffer | undefined {
  budget.spend(1);
  const [, name = 'in DEK-Info', hex = ''] =
    /^DEK-Info: ?([A-Z0-9-]{1,32}),([0-9A-Fa-f]{16,32})$/m.exec(text) ?? [];
  const cipher = traditionalCiphers.get(name);
  if (!cipher) throw unknown(`the cipher ${name}`);
  const iv = Buffer.from(hex, 'hex');
  let [key, round] = [Buffer.alloc(0), Buffer.alloc(0)];
  while (key.length < cipher.keyBytes) {
    round = createHash('md5').update(round).update(password).update(iv.subarray(0, 8)).digest();
    key = Buffer.concat([key, round]);
  }
  return decipher(cipher.name, key.subarray(0, cipher.keyBytes), iv, encrypted);
}

/** @throws CertError `container-malformed`, DerError */
export function keyDerivation(algorithm: Asn1 | undefined): KeyDerivation {
  const [id, parameters] = childrenOf(algorithm);
  const [salt, ...others] = childrenOf(parameters);
  const numbers = others.filter((one) => universalTag(one) === tags.INTEGER).map(numberOf);
  switch (oidOf(id)) {
    case pbkdf2: {
      const function_ = others.find((one) => universalTag(one) === tags.SEQUENCE);
      const hashId = function_ ? oidOf(childrenOf(function_)[0]) : '1.2.840.113549.2.7';
      const hash = hmacHashes[hashId];
      if (hash === undefined) throw unknown(`the pseudo-random function ${hashId}`);
      const [rounds = 1, keyBytes] = numbers;
      return { kind: 'PBKDF2', salt: bytesOf(salt), rounds, hash, keyBytes };
    }
    case scrypt: {
      const [cost = 1, blockSize = 1, parallelization = 1, keyBytes] = numbers;
      return { kind: 'scrypt', salt: bytesOf(salt), cost, blockSize, parallelization, keyBytes };
    }
    default:
      throw unknown(`the key derivation ${oidOf(id)}`);
  }
}

/**
 * Rounds, or another INTEGER that begins at 1 (RFC 8018 §A.2, RFC 7914 §7): Node takes a 0 of scrypt for a number of its
 * own, which no budget has seen. A number that is too large for JavaScript is no smaller than any limit.
 * @throws DerError
 */
export function numberOf(integer: Asn1 | undefined): number {
  const bytes = bytesOf(integer);
  const isNegative = ((bytes[0] ?? 0) & 0x80) !== 0;
  const number = isNegative ? 0 : Number.parseInt(bytes.toString('hex') || '0', 16);
  if (number < 1) throw new DerError('a number from 1 on was expected');
  return number;
}

function decipher(name: string, key: Buffer, iv: Buffer, encrypted: Buffer): Buffer | undefined {
  try {
    const cipher = createDecipheriv(name, key, iv);
    return Buffer.concat([cipher.update(encrypted), cipher.final()]);
  } catch {
    return undefined;
  }
}

/** Of two keys the first is used twice. */
function threeKeys(key: Buffer): Buffer {
  return key.length === 16 ? Buffer.concat([key, key.subarray(0, 8)]) : key;
}

/** RFC 8018 §6.1.1 */
function withoutPadding(encrypted: Buffer, decrypt: (data: Buffer) => Buffer): Buffer | undefined {
  if (encrypted.length === 0 || encrypted.length % 8 > 0) return undefined;
  const plain = decrypt(encrypted);
  const count = plain.at(-1) ?? 0;
  const padding = plain.subarray(-count);
  const isPadded = count > 0 && count <= 8 && padding.every((byte) => byte === count);
  return isPadded ? plain.subarray(0, -count) : undefined;
}

function unknown(what: string): CertError {
  return new CertError('container-malformed', `${what} is not known`);
}
