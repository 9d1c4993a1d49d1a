import { createHmac, hash, pbkdf2 } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { integer, nothing, octetString } from '../../x509/asn1/primitives.ts';
import { optional, readAs, sequence } from '../../x509/asn1/structure.ts';
import { EnrolmentFault } from '../enrolment-fault.ts';
import { algorithmIdentifier } from '../messages/certificate-request.ts';
import type { AlgorithmIdentifier } from '../messages/pki-message.ts';

/** Protection with a shared secret (RFC 9810 §5.1.3.1): password-based MAC, and PBMAC1 (RFC 9481 §6.1). */

const macIds = {
  pbm: '1.2.840.113533.7.66.13',
  pbmac1: '1.2.840.113549.1.5.14',
} as const;

const pbkdf2Id = '1.2.840.113549.1.5.12';

/** Algorithms that a key derivation may name; MD5 and DES are none of them. */
const digests: Readonly<Record<string, string>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.4': 'sha224',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

const hmacs: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  // The same, by its older name (RFC 4210 appendix D.2)
  '1.3.6.1.5.5.8.1.2': 'sha1',
  '1.2.840.113549.2.8': 'sha224',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
};

const pbmParameter = sequence({
  salt: octetString,
  owf: algorithmIdentifier,
  iterationCount: integer,
  mac: algorithmIdentifier,
});

const pbmac1Parameter = sequence({
  keyDerivationFunc: algorithmIdentifier,
  messageAuthScheme: algorithmIdentifier,
});

const pbkdf2Parameter = sequence({
  salt: octetString,
  iterationCount: integer,
  keyLength: optional(integer),
  prf: optional(algorithmIdentifier),
});

/** How our own messages are protected. */
export interface MacSettings {
  readonly kind: keyof typeof macIds;
  readonly digest: 'sha1' | 'sha256';
  readonly iterations: number;
}

const nullParameters = nothing.write(null);
const sha256 = { algorithm: '2.16.840.1.101.3.4.2.1', parameters: nullParameters };

/** The protectionAlg of a message of ours. */
export function macAlgorithm(
  { kind, digest, iterations }: MacSettings,
  salt: Buffer,
): AlgorithmIdentifier {
  const id = digest === 'sha1' ? '1.2.840.113549.2.7' : '1.2.840.113549.2.9';
  const hmac = { algorithm: id, parameters: nullParameters };
  if (kind === 'pbm') {
    const parameters = { salt, owf: sha256, iterationCount: iterations, mac: hmac };
    return { algorithm: macIds.pbm, parameters: pbmParameter.write(parameters) };
  }
  const derivation = { salt, iterationCount: iterations, keyLength: 32, prf: hmac };
  return {
    algorithm: macIds.pbmac1,
    parameters: pbmac1Parameter.write({
      keyDerivationFunc: { algorithm: pbkdf2Id, parameters: pbkdf2Parameter.write(derivation) },
      messageAuthScheme: hmac,
    }),
  };
}

export function isMac({ algorithm }: AlgorithmIdentifier): boolean {
  return algorithm === macIds.pbm || algorithm === macIds.pbmac1;
}

/** A server that is none of ours chooses how much work its answer is. */
export interface MacLimits {
  readonly maxIterations: number;
}

const minIterations = 100;
const minSaltBytes = 8;
const maxKeyBytes = 64;

const deriveKey = promisify(pbkdf2);
/** Iterations between two looks at what else the program has to do: a few milliseconds, also on a BMC. */
const sliceIterations = 1000;

/**
 * @param algorithm which `isMac` takes
 * @throws EnrolmentFault `protection` for parameters that are weak or too much work; Asn1Error
 */
export async function computeMac(
  { algorithm, parameters = Buffer.alloc(0) }: AlgorithmIdentifier,
  secret: Buffer,
  data: Buffer,
  limits: MacLimits,
): Promise<Buffer> {
  if (algorithm === macIds.pbm) {
    const { salt, owf, iterationCount, mac } = readAs(pbmParameter, parameters);
    const digest = known(digests, owf, 'one-way function');
    const hmac = known(hmacs, mac, 'MAC');
    refuseParameters(salt, iterationCount, limits);
    let key = Buffer.concat([secret, salt]);
    for (let done = 0; done < iterationCount; done += 1) {
      if (done > 0 && done % sliceIterations === 0) await setImmediate();
      key = hash(digest, key, 'buffer');
    }
    return createHmac(hmac, key).update(data).digest();
  }
  const { keyDerivationFunc, messageAuthScheme } = readAs(pbmac1Parameter, parameters);
  if (keyDerivationFunc.algorithm !== pbkdf2Id)
    throw weak(`the key derivation ${keyDerivationFunc.algorithm} is not known`);
  const derivation = readAs(pbkdf2Parameter, keyDerivationFunc.parameters ?? Buffer.alloc(0));
  const { salt, iterationCount, keyLength, prf } = derivation;
  const hmac = known(hmacs, messageAuthScheme, 'MAC');
  refuseParameters(salt, iterationCount, limits);
  // RFC 9481 §6.1.2 wants the length to be there
  if (keyLength === undefined || keyLength < 16 || keyLength > maxKeyBytes)
    throw weak('the length of its key is missing, or out of bounds');
  const digest = prf ? known(hmacs, prf, 'pseudorandom function') : 'sha1';
  const key = await deriveKey(secret, salt, iterationCount, keyLength, digest);
  return createHmac(hmac, key).update(data).digest();
}

function refuseParameters(salt: Buffer, iterations: number, { maxIterations }: MacLimits): void {
  if (salt.length < minSaltBytes) throw weak(`its salt has fewer than ${minSaltBytes} bytes`);
  if (iterations < minIterations || iterations > maxIterations)
    throw weak(`its iterations are not between ${minIterations} and ${maxIterations}`);
}

function known(
  algorithms: Readonly<Record<string, string>>,
  { algorithm }: AlgorithmIdentifier,
  what: string,
): string {
  const name = Object.hasOwn(algorithms, algorithm) ? algorithms[algorithm] : undefined;
  if (name === undefined) throw weak(`the ${what} ${algorithm} is not taken`);
  return name;
}

function weak(reason: string): EnrolmentFault {
  return new EnrolmentFault('protection', `the MAC of the answer is not taken: ${reason}`);
}
