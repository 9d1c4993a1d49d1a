import { CertError } from '../core/cert-error.ts';
import { isKeyBlock } from './keys.ts';
import { isCertificateBlock, type PemBlock } from './pem.ts';

/** What people hand over in place of a certificate, by its beginning; the first that fits says what it is. */
const mistaken: readonly (readonly [beginning: RegExp, what: string])[] = [
  [/^\s*$/, 'it is empty'],
  [
    /[ -~]\0[ -~]\0|\0[ -~]\0[ -~]/,
    'it is UTF-16, as PowerShell and editors of Windows write text; save it as UTF-8',
  ],
  [/^\s*<(!doctype +html|html|head|body)\b/i, 'it is an HTML page'],
  [/^\s*</, 'it is XML; give the certificate in it alone'],
  [/^\s*[{[]/, 'it is JSON; give the certificate in it alone'],
  [/^\xfe\xed\xfe\xed/, 'it is a Java keystore; export it as PKCS #12'],
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what no text has
  [/[\0-\x08\x0e-\x1a\x1c-\x1f]/, 'it is binary and in no form that is taken here; PEM always is'],
  [
    /-----BEGIN(%20|\+)/,
    'it is encoded as a form of a web page; curl sends a file as it is with --data-binary',
  ],
  [
    /BEGIN [\w #]*CERTIFICATE/i,
    'its BEGIN line is not exactly -----BEGIN CERTIFICATE-----, with nothing before it',
  ],
  [/^(ssh-|ecdsa-|PuTTY-)/, 'it is an SSH key'],
  [
    /^\s*Certificate:\s/,
    'it is what openssl x509 -text prints; give the certificate from which that was printed',
  ],
  [
    /^@?[^\s@]{1,250}\.(pem|crt|cer|der|p7[bc]|p12|pfx|key)\s*$/i,
    'it is the name of a file; curl sends what is in it with --data-binary @FILE',
  ],
  [/^\s*([\da-f]{2}[:\s]?){64,}$/i, 'it is hexadecimal; give PEM, or base64 of DER'],
  [
    /^[\w+/\s]{64,}={0,2}\s*$/,
    'it is base64 without BEGIN lines, and what that encodes is no certificate',
  ],
];

/** Of a text; what is behind these hardly says more. */
const shownBytes = 4096;

/** The error for bytes in which there is nothing of PEM, DER or a container. */
export function unknownContent(bytes: Buffer): CertError {
  const text = bytes.toString('latin1', 0, shownBytes);
  const [, what] = mistaken.find(([beginning]) => beginning.test(text)) ?? [];
  return noCertificate(what ?? 'it is not base64 and has no -----BEGIN line');
}

/** The error for an upload that holds something else. */
export function otherContent(labels: readonly string[]): CertError {
  const kinds = [...new Set(labels.map((label) => kindOf(label)))];
  return noCertificate(kinds.length === 0 ? 'it is empty' : `it holds ${kinds.join(' and ')}`);
}

function noCertificate(reason: string): CertError {
  return new CertError('no-certificate', `the file holds no certificate: ${reason}`);
}

const kinds: readonly (readonly [label: RegExp, kind: string])[] = [
  [/CERTIFICATE REQUEST$/, 'a certificate request (CSR), of which a CA makes the certificate'],
  [/PRIVATE KEY$/, 'a private key'],
  [/PUBLIC KEY$/, 'a public key'],
  [/CRL$/, 'a list of revoked certificates (CRL)'],
  [/PARAMETERS$/, 'parameters of keys'],
];

/** What a PEM block of a label is, in words. */
export function kindOf(label: string): string {
  return kinds.find(([pattern]) => pattern.test(label))?.[1] ?? `a block ${label}`;
}

/** Whether a PEM block is neither a certificate nor of a key, so that whoever leaves it out has to say so. */
export function isForeignBlock(block: PemBlock): boolean {
  return !isCertificateBlock(block) && !isKeyBlock(block) && !/PARAMETERS$/.test(block.label);
}
