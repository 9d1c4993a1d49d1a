import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** A password as it is stored; the parameters are kept so that they can grow one day. */
export interface PasswordHash {
  readonly algorithm: 'scrypt';
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
  /** Base64. */
  readonly salt: string;
  readonly hash: string;
}

/** 16 MiB and about 40 ms on a server, half a second on a BMC. */
const parameters = { cost: 2 ** 14, blockSize: 8, parallelization: 1 } as const;
const hashBytes = 32;

/** @param cost N of scrypt (RFC 7914), a power of two */
export async function hashPassword(
  password: string,
  cost: number = parameters.cost,
): Promise<PasswordHash> {
  const salt = randomBytes(16);
  const hash = await derive(password, salt, { ...parameters, cost });
  return {
    algorithm: 'scrypt',
    ...parameters,
    cost,
    salt: salt.toString('base64'),
    hash: hash.toString('base64'),
  };
}

/** A hash whose parameters scrypt does not take is that of no password. */
export async function matchesHash(password: string, stored: PasswordHash): Promise<boolean> {
  const expected = Buffer.from(stored.hash, 'base64');
  const salt = Buffer.from(stored.salt, 'base64');
  const actual = await derive(password, salt, stored).catch(() => undefined);
  if (!actual) return false;
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

function derive(
  password: string,
  salt: Buffer,
  { cost, blockSize, parallelization }: Omit<PasswordHash, 'algorithm' | 'salt' | 'hash'>,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { cost, blockSize, parallelization, maxmem: 256 * cost * blockSize };
    scrypt(password, salt, hashBytes, options, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}
