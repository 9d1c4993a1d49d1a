import { createHash } from 'node:crypto';
import forge from 'node-forge';
import { CertError } from '../errors.ts';
import { RoundBudget } from './key-derivation.ts';

/** What a PKCS #12 file holds, each in DER: certificates, and keys as PKCS #8. */
export interface Pkcs12Content {
  readonly certificates: readonly Buffer[];
  readonly keys: readonly Buffer[];
}

/** Rounds of key derivation for a whole file; the slowest of them take a third of a second on a server. */
const mostRounds = 100_000;

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

/** forge's published types lack the forms that it uses for algorithms which it does not know. */
interface Bag {
  readonly type: string;
  readonly key?: forge.pki.rsa.PrivateKey | null;
  readonly cert?: forge.pki.Certificate | null;
  readonly asn1?: forge.asn1.Asn1;
}

/**
 * Opens a PKCS #12 file (RFC 7292), also one in BER as other systems write it. forge reads the
 * container alone; what is inside goes to node:crypto as DER.
 * @throws CertError `container-malformed`, `password-wrong`
 */
export function readPkcs12(content: Uint8Array, password: string): Pkcs12Content {
  const root = decodeBer(content);
  budget = new RoundBudget(mostRounds);
  // Version, content, MAC
  budget.spend(Array.isArray(root.value) ? root.value[2] : undefined);
  const bags = open(root, password);
  return {
    certificates: bags.flatMap(({ cert, asn1 }) => {
      if (cert) return [toBuffer(forge.pki.certificateToAsn1(cert))];
      return cert === null && asn1 ? [toBuffer(asn1)] : [];
    }),
    keys: bags.flatMap(({ key, asn1 }) => {
      if (key) {
        return [toBuffer(forge.pki.wrapRsaPrivateKey(forge.pki.privateKeyToAsn1(key)))];
      }
      return key === null && asn1 ? [toBuffer(asn1)] : [];
    }),
  };
}

function decodeBer(content: Uint8Array): forge.asn1.Asn1 {
  try {
    return forge.asn1.fromDer(Buffer.from(content).toString('binary'));
  } catch (cause) {
    throw new CertError('container-malformed', 'the PKCS #12 file is not ASN.1', { cause });
  }
}

function open(root: forge.asn1.Asn1, password: string): Bag[] {
  try {
    const { safeContents } = forge.pkcs12.pkcs12FromAsn1(root, false, password);
    return safeContents.flatMap(({ safeBags }) => safeBags as readonly Bag[]);
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
