import { type ContentFormat, openContent } from './containers.ts';
import { type PemBlock, pemBlock } from './pem.ts';

type Label = 'PRIVATE KEY' | 'RSA PRIVATE KEY' | 'EC PRIVATE KEY' | 'ENCRYPTED PRIVATE KEY';

/**
 * Certificates, keys and requests as PEM blocks, by what the bytes are: PEM, or DER (perhaps in base64) of a certificate, a
 * request, a key, PKCS #7 or PKCS #12.
 * @param password opens keys and PKCS #12; empty for none
 * @throws CertError as `openContent`
 */
export function openAnyContent(bytes: Buffer, password: string): readonly PemBlock[] {
  const der = fromBase64(bytes);
  const form = formOf(der);
  switch (form) {
    case 'PEM':
    case 'DER':
    case 'PKCS7':
    case 'PKCS12':
      return openContent({ bytes: der, format: form, password });
    case 'CERTIFICATE REQUEST':
      return [pemBlock(form, der)];
    default: {
      const { text } = pemBlock(form, der);
      return openContent({ bytes: Buffer.from(text), format: 'PEM', password });
    }
  }
}

/** What has more than 127 bytes in one SEQUENCE begins so in base64. */
function fromBase64(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1').trim();
  const isBase64 = /^MI[A-Za-z0-9+/\s]+={0,2}$/.test(text);
  return isBase64 ? Buffer.from(text, 'base64') : bytes;
}

const tags = { integer: 0x02, octetString: 0x04, objectIdentifier: 0x06, sequence: 0x30 };
/** pkcs7-data and pkcs7-signedData of a PKCS #12 begin so (RFC 2315 §14). */
const pkcs7Arc = Buffer.from('2a864886f70d0107', 'hex');

/**
 * By the tags at the beginning alone: PKCS #12 and PKCS #7 may be BER. Fields are those of RFC 5280 §4.1,
 * RFC 2986 §4, RFC 5958 §2 and 3, RFC 8017 §A.1.2, RFC 5915 §3, RFC 5652 §3 and RFC 7292 §4.
 */
function formOf(bytes: Buffer): ContentFormat | Label | 'CERTIFICATE REQUEST' {
  const outer = elementAt(bytes, 0);
  if (outer.tag !== tags.sequence) return 'PEM';
  const first = elementAt(bytes, outer.start);
  if (first.tag === tags.objectIdentifier) return 'PKCS7';
  if (first.tag === tags.integer) return formOfNumbered(bytes, first.end);
  const version = elementAt(bytes, first.start);
  if (version.tag === tags.objectIdentifier) return 'ENCRYPTED PRIVATE KEY';
  if (version.tag !== tags.integer) return 'DER';
  // The algorithm of a certificate of version 1, the subject of a request
  const next = elementAt(bytes, elementAt(bytes, version.end).start);
  return next.tag === tags.objectIdentifier ? 'DER' : 'CERTIFICATE REQUEST';
}

/** Structures that begin with a version. */
function formOfNumbered(bytes: Buffer, at: number): ContentFormat | Label {
  const second = elementAt(bytes, at);
  if (second.tag === tags.integer) return 'RSA PRIVATE KEY';
  if (second.tag === tags.octetString) return 'EC PRIVATE KEY';
  const { start } = elementAt(bytes, second.start);
  const isContainer = bytes.subarray(start, start + pkcs7Arc.length).equals(pkcs7Arc);
  return isContainer ? 'PKCS12' : 'PRIVATE KEY';
}

/** Tag, content and end of an element, whose length in the first few bytes of a file is never indefinite. */
function elementAt(bytes: Buffer, at: number) {
  const [tag = 0, first = 0] = bytes.subarray(at, at + 2);
  const octets = first > 0x80 ? Math.min(first - 0x80, 6) : 0;
  const start = at + 2 + octets;
  const length = octets > 0 && start <= bytes.length ? bytes.readUIntBE(at + 2, octets) : first;
  return { tag, start, end: start + length };
}
