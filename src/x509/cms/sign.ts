import { hash, type KeyObject, sign } from 'node:crypto';
import { wrap } from '../asn1/element.ts';
import { nothing, objectIdentifier, octetString } from '../asn1/primitives.ts';
import type { Certificate } from '../certificate.ts';
import { digestIds } from '../oids.ts';
import { CmsFault } from './cms-fault.ts';
import { issuerAndSerial } from './issuer-and-serial.ts';
import type { Digest } from './signature-algorithm.ts';
import {
  type Attribute,
  attributes,
  attributeTypes,
  contentInfo,
  contentTypes,
} from './signed-data.ts';

export interface Signer {
  readonly certificate: Certificate;
  /** Private. */
  readonly key: KeyObject;
  readonly intermediates: readonly Certificate[];
}

/**
 * Makes a detached signature with signed attributes (RFC 5652 §5), as `openssl cms -sign -binary` does.
 * @returns SignedData in DER
 * @throws CmsFault `unfit` for a key that does not sign
 */
export function signDetached(content: Uint8Array, signer: Signer, now: Date): Buffer {
  const { certificate, key, intermediates } = signer;
  const { digest, id, parameters } = algorithmFor(key);
  const digestAlgorithm = { algorithm: digestIds[digest], parameters: nothing.write(null) };
  const signedAttrs = attributes.write([
    attribute('contentType', objectIdentifier.write(contentTypes.data)),
    attribute('signingTime', utcTime(now)),
    attribute('messageDigest', octetString.write(hash(digest, content, 'buffer'))),
  ]);
  const signature = sign(
    key.asymmetricKeyType === 'ed25519' ? undefined : digest,
    signedAttrs,
    key,
  );
  return contentInfo.write({
    contentType: contentTypes.signedData,
    content: {
      version: 1,
      digestAlgorithms: [digestAlgorithm],
      encapContentInfo: { eContentType: contentTypes.data },
      certificates: [certificate, ...intermediates].map(({ der }) => der),
      signerInfos: [
        {
          version: 1,
          sid: { kind: 'issuerAndSerialNumber', value: issuerAndSerial(certificate) },
          digestAlgorithm,
          signedAttrs,
          signatureAlgorithm: { algorithm: id, ...(parameters && { parameters }) },
          signature,
        },
      ],
    },
  });
}

function attribute(name: keyof typeof attributeTypes, value: Buffer): Attribute {
  return { type: attributeTypes[name], values: [value] };
}

/** Until 2049 (RFC 5652 §11.3). */
function utcTime(date: Date): Buffer {
  const text = date.toISOString().replace(/[-:T]|\.\d{3}/g, '');
  const isLong = date.getUTCFullYear() >= 2050;
  return wrap(isLong ? 24 : 23, Buffer.from(isLong ? text : text.slice(2), 'latin1'));
}

interface Algorithm {
  readonly digest: Digest;
  readonly id: string;
  readonly parameters?: Buffer;
}

const ecdsa: Readonly<Record<string, Algorithm>> = {
  prime256v1: { digest: 'sha256', id: '1.2.840.10045.4.3.2' },
  secp384r1: { digest: 'sha384', id: '1.2.840.10045.4.3.3' },
  secp521r1: { digest: 'sha512', id: '1.2.840.10045.4.3.4' },
};

function algorithmFor({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): Algorithm {
  const curve = ecdsa[asymmetricKeyDetails?.namedCurve ?? ''];
  if (asymmetricKeyType === 'rsa')
    return { digest: 'sha256', id: '1.2.840.113549.1.1.11', parameters: nothing.write(null) };
  if (asymmetricKeyType === 'ed25519') return { digest: 'sha512', id: '1.3.101.112' };
  if (asymmetricKeyType === 'ec' && curve) return curve;
  throw new CmsFault('unfit', `a key of type ${asymmetricKeyType} does not sign bundles`);
}
