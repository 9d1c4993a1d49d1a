import { extension, forge, isCa, keyPem, lengthOf, nested, pem } from './forged-anything.ts';
import { type Nasty, row } from './nasty-row.ts';

const own = forge();
const leaf = forge({ extensions: 'none' });
const credentialFile = keyPem + pem(leaf);
const served = 'OpenSSL and GnuTLS load it';

/** BER of what is DER: the outermost length in another form. */
const relabelled = (length: Buffer, after = '') =>
  Buffer.from(
    pem(Buffer.concat([Buffer.of(0x30), length, own.subarray(4), Buffer.from(after, 'hex')])),
  );

/** The same bytes and texts in other forms than they should have. */
export const nastyEncodings: readonly Nasty[] = [
  row(
    {
      what: 'an indefinite length',
      to: 'authority',
      verdict: 'accepted',
      because: 'OpenSSL writes it anew as DER, and that is what is kept',
    },
    () => relabelled(Buffer.of(0x80), '0000'),
  ),
  row(
    {
      what: 'a length in more octets than it needs',
      to: 'authority',
      verdict: 'accepted',
      because: 'OpenSSL writes it anew as DER, and that is what is kept',
    },
    () => relabelled(lengthOf(own.length - 4, 4)),
  ),
  row(
    {
      what: 'a length beyond the end',
      to: 'authority',
      verdict: 'certificate-malformed',
      because: 'it is cut off',
    },
    () => relabelled(lengthOf(own.length + 100)),
  ),
  row(
    {
      what: 'bytes behind the certificate',
      to: 'authority',
      verdict: 'accepted',
      because: 'OpenSSL leaves them out, and so does what is kept',
    },
    () => pem(Buffer.concat([own, Buffer.of(5, 0)])),
  ),
  row(
    {
      what: 'elements nested 10 000 deep',
      to: 'authority',
      verdict: 'certificate-malformed',
      because: 'OpenSSL does not parse it',
    },
    () => pem(nested(10_000)),
  ),
  row(
    {
      what: 'an extension nested 10 000 deep',
      to: 'authority',
      verdict: 'accepted',
      because: 'nobody reads an extension that nobody knows',
    },
    () => pem(forge({ extensions: [isCa, extension('1.2.3.4', nested(10_000))] })),
  ),
  row(
    {
      what: 'alternative names nested 10 000 deep',
      to: 'authority',
      verdict: 'certificate-malformed',
      because: 'no name has such a form',
    },
    () => pem(forge({ extensions: [isCa, extension('2.5.29.17', nested(10_000))] })),
  ),
  row(
    {
      what: 'a name nested 10 000 deep',
      to: 'authority',
      verdict: 'certificate-malformed',
      because: 'OpenSSL does not parse it',
    },
    () => pem(forge({ subject: nested(10_000) })),
  ),
  row(
    { what: 'CRLF at the ends of lines', to: 'client', verdict: 'accepted', because: served },
    () => credentialFile.replaceAll('\n', '\r\n'),
  ),
  row(
    {
      what: 'CR at the ends of lines',
      to: 'client',
      verdict: 'accepted',
      because: 'OpenSSL does not, but the file that is kept has LF',
    },
    () => credentialFile.replaceAll('\n', '\r'),
  ),
  row(
    {
      what: 'a byte order mark',
      to: 'client',
      verdict: 'accepted',
      because: 'the file that is kept has none',
    },
    () => `\ufeff${credentialFile}`,
  ),
  row(
    {
      what: 'UTF-16',
      to: 'client',
      verdict: 'no-certificate',
      because: 'no tool writes or reads PEM so',
    },
    () => Buffer.from(`\ufeff${credentialFile}`, 'utf16le'),
  ),
  row(
    {
      what: 'text around the blocks',
      to: 'client',
      verdict: 'accepted',
      because: 'RFC 7468 §2: it is skipped',
    },
    () => `subject=x\n\n${credentialFile}\nBye.\n`,
  ),
  row(
    {
      what: 'NULs behind the last block',
      to: 'client',
      verdict: 'accepted',
      because: 'RFC 7468 §2: what is outside of blocks is skipped',
    },
    () => Buffer.concat([Buffer.from(credentialFile), Buffer.alloc(1000)]),
  ),
  row(
    {
      what: '10 MB',
      to: 'client',
      verdict: 'file-too-large',
      because: 'the limit is in the configuration',
    },
    () => Buffer.alloc(10_000_000, 0x41),
  ),
  row(
    { what: 'nothing', to: 'client', verdict: 'file-empty', because: 'there is no certificate' },
    () => '',
  ),
];
