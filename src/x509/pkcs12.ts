import { createHash } from 'node:crypto';
import forge from 'node-forge';
import './forge-ciphers.ts';
import { CertError } from '../core/cert-error.ts';
import { countElements } from './der.ts';
import { RoundBudget } from './key-derivation.ts';
import { contentLimits, maxElementsOfContainer, refuseMoreThan } from './limits.ts';

/** What a PKCS #12 file holds, each in DER: certificates, and keys as PKCS #8. */
export interface Pkcs12Content {
  readonly certificates: readonly Buffer[];
  readonly keys: readonly Buffer[];
}

/** Rounds of key derivation for a whole file; the slowest of them take a third of a second on a server. */
const maxRounds = 100_000;

type Hash = Pick<forge.md.MessageDigest, 'algorithm' | 'blockLength' | 'digestLength'>;
interface PasswordBasedEncryption {
  getCipherForPBES2(oid: string, parameters: forge.asn1.Asn1, password: string): object;
  getCipherForPKCS12PBE(oid: string, parameters: forge.asn1.Asn1, password: string): object;
  generatePkcs12Key(
    password: string,
    salt: forge.util.ByteBuffer,
    purpose: number,
    rounds: number,
    bytes: number,
    hash?: Hash,
  ): forge.util.ByteBuffer;
}
const pbe: PasswordBasedEncryption = Reflect.get(forge.pki, 'pbe');
const { getCipherForPBES2, getCipherForPKCS12PBE, generatePkcs12Key } = pbe;
const { pbkdf2 } = forge.pkcs5;
let budget = new RoundBudget(0);

// Every derivation of a key comes by here, also those for bags inside of encrypted ones. RFC 8018 §3 takes
// the password in UTF-8, and forge the low bytes of its characters; the older schemes of RFC 7292 §B.1 take
// UTF-16, which forge does by itself
pbe.getCipherForPBES2 = (oid, parameters, password) => {
  budget.spend(parameters);
  return getCipherForPBES2(oid, parameters, forge.util.encodeUtf8(password));
};
pbe.getCipherForPKCS12PBE = (oid, parameters, password) => {
  budget.spend(parameters);
  return getCipherForPKCS12PBE(oid, parameters, password);
};

// forge's own hashes take up to thirty times as long as OpenSSL's, and the manager waits for them
pbe.generatePkcs12Key = (password, salt, purpose, rounds, bytes, hash) =>
  generatePkcs12Key(password, salt, purpose, rounds, bytes, opensslHash(hash));
Reflect.set(forge.pkcs12, 'generateKey', pbe.generatePkcs12Key);
Reflect.set(
  forge.pkcs5,
  'pbkdf2',
  (password: string, salt: string, rounds: number, bytes: number, hash?: Hash) =>
    pbkdf2(password, salt, rounds, bytes, hash?.algorithm ?? 'sha1'),
);

/** What forge asks of a hash, done by OpenSSL. */
function opensslHash(hash: Hash = forge.md.sha1.create()): Hash {
  const { algorithm, blockLength, digestLength } = hash;
  let state = createHash(algorithm);
  return Object.assign(
    { algorithm, blockLength, digestLength },
    {
      start: () => {
        state = createHash(algorithm);
      },
      update: (bytes: string) => state.update(bytes, 'binary'),
      digest: () => forge.util.createBuffer(state.digest('binary')),
    },
  );
}

type Ber = string | forge.util.ByteStringBuffer;

/** forge's published types know only the older form of the second parameter. */
const fromDer: (bytes: Ber, options: object) => forge.asn1.Asn1 = forge.asn1.fromDer as never;
let elementsLeft = 0;

/** Everything inside comes by here, also what was encrypted. Bit strings hold no ASN.1 that matters here. */
const decodeBer = (bytes: Ber, strict: boolean): forge.asn1.Asn1 => {
  const content = Buffer.from(typeof bytes === 'string' ? bytes : bytes.bytes(), 'latin1');
  elementsLeft -= countElements(content, elementsLeft);
  if (elementsLeft < 0) {
    const most = maxElementsOfContainer();
    throw new CertError('container-malformed', `it has more than ${most} elements`);
  }
  return fromDer(bytes, { strict, parseAllBytes: true, decodeBitStrings: false });
};

// Only what forge asks for while it opens a file has no options, or says by them whether it is strict
Reflect.set(forge.asn1, 'fromDer', (bytes: Ber, options: boolean | object = true) =>
  typeof options === 'boolean' ? decodeBer(bytes, options) : fromDer(bytes, options),
);

// forge would take keys and certificates apart, slowly, and only those with RSA; as it is they come out as they are
for (const name of ['privateKeyFromAsn1', 'certificateFromAsn1']) {
  Reflect.set(forge.pki, name, () => {
    throw new TypeError('not for forge');
  });
}

/** The form that forge uses for keys and certificates which it does not know. */
interface Bag {
  readonly key?: null;
  readonly cert?: null;
  readonly asn1?: forge.asn1.Asn1;
}

/**
 * Opens a PKCS #12 file (RFC 7292), also one in BER as other systems write it. forge reads the
 * container alone; what is inside goes to node:crypto as DER.
 * @throws CertError `container-malformed`, `password-wrong`, `too-many-certificates`
 */
export function readPkcs12(content: Uint8Array, password: string): Pkcs12Content {
  elementsLeft = maxElementsOfContainer();
  const root = decodeFile(content);
  budget = new RoundBudget(maxRounds);
  // Version, content, MAC
  const [, , mac] = Array.isArray(root.value) ? root.value : [];
  if (mac) budget.spend(mac);
  const bags = open(root, password);
  const certificates = bags.flatMap(({ cert, asn1 }) => (cert === null && asn1 ? [asn1] : []));
  const keys = bags.flatMap(({ key, asn1 }) => (key === null && asn1 ? [asn1] : []));
  const most = contentLimits();
  refuseMoreThan(most.blocks, certificates.length, 'certificates');
  refuseMoreThan(most.keys, keys.length, 'private keys');
  return { certificates: certificates.map(toBuffer), keys: keys.map(toBuffer) };
}

function decodeFile(content: Uint8Array): forge.asn1.Asn1 {
  try {
    return forge.asn1.fromDer(Buffer.from(content).toString('binary'));
  } catch (cause) {
    if (cause instanceof CertError) throw cause;
    throw new CertError('container-malformed', 'the PKCS #12 file is not ASN.1', { cause });
  }
}

function open(root: forge.asn1.Asn1, password: string): Bag[] {
  try {
    const { safeContents } = forge.pkcs12.pkcs12FromAsn1(root, false, password);
    return safeContents.flatMap(({ safeBags }) => safeBags as readonly unknown[] as readonly Bag[]);
  } catch (cause) {
    if (cause instanceof CertError) throw cause;
    // forge tells a wrong password from a damaged file by its words only
    const text = cause instanceof Error ? cause.message : '';
    if (/MAC could not be verified|decrypt/i.test(text)) {
      throw new CertError('password-wrong', 'the password does not open the PKCS #12 file');
    }
    throw new CertError('container-malformed', 'the PKCS #12 file cannot be read');
  }
}

function toBuffer(node: forge.asn1.Asn1): Buffer {
  return Buffer.from(forge.asn1.toDer(node).getBytes(), 'binary');
}
