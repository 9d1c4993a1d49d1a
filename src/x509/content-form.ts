/** What bytes hold: a text, a certificate, a container, or what a PEM block of that label has. */
export type ContentForm =
  | 'PEM'
  | 'DER'
  | 'PKCS7'
  | 'PKCS12'
  | 'PRIVATE KEY'
  | 'RSA PRIVATE KEY'
  | 'EC PRIVATE KEY'
  | 'ENCRYPTED PRIVATE KEY'
  | 'PUBLIC KEY'
  | 'CERTIFICATE REQUEST'
  | 'X509 CRL';

const tags = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utcTime: 0x17,
  sequence: 0x30,
};
/** pkcs7-data and pkcs7-signedData of a PKCS #12 begin so (RFC 2315 §14). */
const pkcs7Arc = Buffer.from('2a864886f70d0107', 'hex');

/**
 * By the tags at the beginning alone: PKCS #12 and PKCS #7 may be BER. Fields are those of RFC 5280 §4.1,
 * and 5.1, RFC 2986 §4, RFC 5958 §2 and 3, RFC 8017 §A.1.2, RFC 5915 §3, RFC 5652 §3 and RFC 7292 §4.
 */
export function formOf(bytes: Buffer): ContentForm {
  if (!isElement(bytes)) return 'PEM';
  const outer = elementAt(bytes, 0);
  const first = elementAt(bytes, outer.start);
  if (first.tag === tags.objectIdentifier) return 'PKCS7';
  if (first.tag === tags.integer) return formOfNumbered(bytes, first.end);
  const version = elementAt(bytes, first.start);
  if (version.tag === tags.objectIdentifier) {
    const isPublic = elementAt(bytes, first.end).tag === tags.bitString;
    return isPublic ? 'PUBLIC KEY' : 'ENCRYPTED PRIVATE KEY';
  }
  // Absent in a CRL of version 1
  const hasVersion = version.tag === tags.integer;
  // The algorithm of a certificate of version 1 and of a CRL, the subject of a request
  const second = hasVersion ? elementAt(bytes, version.end) : version;
  if (elementAt(bytes, second.start).tag !== tags.objectIdentifier)
    return hasVersion ? 'CERTIFICATE REQUEST' : 'DER';
  const afterIssuer = elementAt(bytes, elementAt(bytes, second.end).end);
  return afterIssuer.tag === tags.utcTime ? 'X509 CRL' : 'DER';
}

/** The first of several elements in a row, as of OpenSSL's trusted certificates; all bytes where they are cut off. */
export function firstElement(bytes: Buffer): Buffer {
  return bytes.subarray(0, elementAt(bytes, 0).end);
}

/** Whether there is less of an element than its length says. */
export function isCutOff(bytes: Buffer): boolean {
  return elementAt(bytes, 0).end > bytes.length;
}

/** A text that begins with the digit 0 has none of these bytes behind it, and hardly the length that it would state. */
function isElement(bytes: Buffer): boolean {
  const { tag, end } = elementAt(bytes, 0);
  const length = bytes[1] ?? 0;
  // Indefinite, or in up to four octets (X.690 §8.1.3)
  return tag === tags.sequence && ((length >= 0x80 && length <= 0x84) || end === bytes.length);
}

/** Structures that begin with a version. */
function formOfNumbered(bytes: Buffer, at: number): ContentForm {
  const second = elementAt(bytes, at);
  if (second.tag === tags.integer) return 'RSA PRIVATE KEY';
  if (second.tag === tags.octetString) return 'EC PRIVATE KEY';
  // None of these: what reads certificates says what is wrong
  if (second.tag !== tags.sequence) return 'DER';
  const { start } = elementAt(bytes, second.start);
  const isContainer = bytes.subarray(start, start + pkcs7Arc.length).equals(pkcs7Arc);
  return isContainer ? 'PKCS12' : 'PRIVATE KEY';
}

/** Tag, content and end of an element. The end is wrong for an indefinite length, and then nobody asks for it. */
function elementAt(bytes: Buffer, at: number) {
  const [tag = 0, first = 0] = bytes.subarray(at, at + 2);
  const octets = first > 0x80 ? Math.min(first - 0x80, 6) : 0;
  const start = at + 2 + octets;
  const length = octets > 0 && start <= bytes.length ? bytes.readUIntBE(at + 2, octets) : first;
  return { tag, start, end: start + length };
}
