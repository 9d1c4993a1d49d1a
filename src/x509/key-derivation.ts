import { hash as digest, pbkdf2Sync, scryptSync } from 'node:crypto';
import { CertError } from '../core/cert-error.ts';
import type { ContentLimits } from './limits.ts';

/**
 * Rounds that any program may do beside its other work; they take some milliseconds. OpenSSL and Java want fewer for a
 * file, NSS and GnuTLS 600 000 for each key.
 */
export const quickRounds = 10_000;

/** How much work passwords may make: an attacker chooses the keys and the rounds in an upload. */
export class RoundBudget {
  readonly #max: number;
  #left: number;
  readonly #limits: ContentLimits;
  #keys = 0;

  /** @param max rounds of key derivation for a whole upload */
  constructor(max: number, limits: ContentLimits) {
    this.#max = max;
    this.#left = max;
    this.#limits = limits;
  }

  /**
   * Counts one encryption, or one MAC; each costs something without rounds too.
   * @param bytes of memory
   * @throws CertError `key-derivation-limit`
   */
  spend(rounds: number, bytes = 0): void {
    const { keyDerivations, derivationBytes } = this.#limits;
    this.#keys += 1;
    if (this.#keys > keyDerivations)
      throw tooCostly(`more than ${keyDerivations} keys derived from the password`);
    if (bytes > derivationBytes)
      throw tooCostly(`more than ${derivationBytes} bytes of memory for a key`);
    this.#left -= rounds;
    if (this.#left < 0) throw tooCostly(`more than ${this.#max} rounds of key derivation`);
  }

  /** The same for the key of a derivation that an upload states. */
  spendOn(derivation: KeyDerivation): void {
    if (derivation.kind === 'PBKDF2') this.spend(derivation.rounds);
    else this.spend(...costOf(derivation));
  }
}

/** A round of scrypt costs as much as some of the others; RFC 7914 §5 says which blocks are in memory. */
function costOf({ cost, blockSize, parallelization }: Scrypt): [rounds: number, bytes: number] {
  return [cost * blockSize * parallelization, 128 * blockSize * (cost + parallelization)];
}

function tooCostly(what: string): CertError {
  return new CertError('key-derivation-limit', `it wants ${what}`);
}

/** RFC 8018 §5.2 */
export interface Pbkdf2 {
  readonly kind: 'PBKDF2';
  readonly salt: Buffer;
  readonly rounds: number;
  readonly hash: string;
  /** Length of the key, where it is stated. */
  readonly keyBytes?: number | undefined;
}

/** RFC 7914 */
export interface Scrypt {
  readonly kind: 'scrypt';
  readonly salt: Buffer;
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
  readonly keyBytes?: number | undefined;
}

export type KeyDerivation = Pbkdf2 | Scrypt;

/** PKCS #5 takes the password in UTF-8 (RFC 8018 §3). */
export function deriveKey(derivation: KeyDerivation, password: string, bytes: number): Buffer {
  const { salt } = derivation;
  if (derivation.kind === 'PBKDF2')
    return pbkdf2Sync(password, salt, derivation.rounds, bytes, derivation.hash);
  const { cost, blockSize, parallelization } = derivation;
  // OpenSSL counts some more than what is stated
  const [, bytesOfMemory] = costOf(derivation);
  const maxmem = 2 * bytesOfMemory;
  return scryptSync(password, salt, bytes, { cost, blockSize, parallelization, maxmem });
}

/** What a key of PKCS #12 is for (RFC 7292 §B.3). */
export const purposes = { key: 1, iv: 2, mac: 3 } as const;

/** Bytes of a block of each digest. */
const blockBytes: Readonly<Record<string, number>> = {
  sha1: 64,
  sha224: 64,
  sha256: 64,
  sha384: 128,
  sha512: 128,
};

export interface Pkcs12Derivation {
  readonly hash: string;
  readonly salt: Buffer;
  readonly rounds: number;
}

/**
 * The key derivation of PKCS #12 (RFC 7292 §B.2).
 * @param password as `pkcs12Passwords` gives it
 */
export function derivePkcs12Key(
  { hash, salt, rounds }: Pkcs12Derivation,
  purpose: number,
  password: Buffer,
  bytes: number,
): Buffer {
  const block = blockBytes[hash] ?? 64;
  const diversifier = Buffer.alloc(block, purpose);
  const input = Buffer.concat([repeated(salt, block), repeated(password, block)]);
  let key = Buffer.alloc(0);
  for (;;) {
    let round: Buffer = Buffer.concat([diversifier, input]);
    for (let left = rounds; left > 0; left -= 1) round = digest(hash, round, 'buffer');
    key = Buffer.concat([key, round]);
    if (key.length >= bytes) return key.subarray(0, bytes);
    const addend = repeatedTo(round, block);
    for (let at = 0; at < input.length; at += block) addOne(input.subarray(at, at + block), addend);
  }
}

/**
 * The forms of a password (RFC 7292 §B.1): UTF-16, big-endian, with two zeros at the end. A file without a password was
 * made with these two zeros, or with nothing at all.
 */
export function pkcs12Passwords(password: string): readonly Buffer[] {
  const form = Buffer.from(`${password}\0`, 'utf16le').swap16();
  return password === '' ? [form, Buffer.alloc(0)] : [form];
}

/** As often as it takes to fill whole blocks. */
function repeated(bytes: Buffer, block: number): Buffer {
  return repeatedTo(bytes, block * Math.ceil(bytes.length / block));
}

function repeatedTo(bytes: Buffer, length: number): Buffer {
  return length === 0 ? Buffer.alloc(0) : Buffer.alloc(length, bytes);
}

/** Adds a number and 1 to a number of as many bytes, without what is carried out of it. */
function addOne(number: Buffer, addend: Buffer): void {
  let carry = 1;
  for (let at = number.length - 1; at >= 0; at -= 1) {
    carry += (number[at] ?? 0) + (addend[at] ?? 0);
    number[at] = carry & 0xff;
    carry >>= 8;
  }
}
