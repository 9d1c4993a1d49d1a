import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { formatCredential } from '../../src/tls/credential.ts';
import { makeCredential, makeMismatch, makePair } from '../fakes/credentials.ts';
import { type Issued, keyKinds, type OpensslAuthority } from '../fakes/openssl-authority.ts';

/** What may lie at the path of a certificate and cannot be served. */
export interface FileState {
  readonly what: string;
  /** Puts it there, where nothing is. */
  make(path: string): void;
  /** What is said of it. */
  readonly reason: RegExp;
}

/** @param openssl makes what our own programs would not */
export function fileStates(openssl: () => OpensslAuthority): readonly FileState[] {
  const put = (text: () => string) => (path: string) => {
    writeFileSync(`${path}.new`, text(), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  };
  const withIssuer = (shape: object) => () => {
    const { key, pem } = openssl().issue();
    return key + pem + openssl().issueCa(shape).pem;
  };
  const pairOf = ({ key, pem }: Issued) => key + pem;
  return [
    { what: 'nothing', make: () => undefined, reason: /the file is missing/ },
    { what: 'an empty file', make: put(() => ''), reason: /the file is empty/ },
    { what: 'garbage', make: put(() => 'garbage'), reason: /the file holds no certificate/ },
    { what: 'zeros', make: put(() => '\0'.repeat(5000)), reason: /the file holds no certificate/ },
    {
      what: 'half a file',
      make: put(() => makePair('half').slice(0, -40)),
      reason: /the CERTIFICATE block has no END line/,
    },
    {
      what: 'a certificate without a key',
      make: put(() => makeCredential('a').certificate.pem),
      reason: /the file holds no private key/,
    },
    {
      what: 'a key without a certificate',
      make: put(() => makeCredential('a').key),
      reason: /the file holds no certificate/,
    },
    {
      what: 'the key of another certificate',
      make: put(makeMismatch),
      reason: /the key is not that of the first certificate/,
    },
    {
      what: 'an issuer that OpenSSL refuses',
      make: put(withIssuer({ key: keyKinds.rsa(1024), subject: '/CN=Old Root' })),
      reason: /OpenSSL refuses certificate 2 of 2, CN=Old Root: ca key too small/,
    },
    {
      what: 'a leaf that OpenSSL refuses',
      make: put(() => pairOf(openssl().issue({ key: keyKinds.rsa(1024), subject: '/CN=weak' }))),
      reason: /OpenSSL refuses certificate 1 of 1, CN=weak: ee key too small/,
    },
    {
      what: 'a leaf that no client takes',
      make: put(() => pairOf(openssl().issue({ key: keyKinds.ec('secp256k1') }))),
      reason: /OpenSSL refuses certificate 1 of 1, .*: no suitable signature algorithm/,
    },
    {
      what: 'a chain that is too long',
      make: put(() => {
        const { key, certificate } = makeCredential('a');
        return formatCredential({ key, certificate, chain: Array(300).fill(certificate) });
      }),
      reason: /refuses the certificates of the file together: excessive message size/,
    },
    {
      what: 'too large a file',
      make: (path) => {
        put(() => makePair('large'))(path);
        truncateSync(path, 8 * 1024 * 1024);
      },
      reason: /the file is larger than \d+ bytes/,
    },
    { what: 'a directory', make: (path) => mkdirSync(path), reason: /no regular file/ },
    {
      what: 'a FIFO',
      make: (path) => void execFileSync('mkfifo', [path]),
      reason: /no regular file/,
    },
    { what: 'a device', make: (path) => symlinkSync('/dev/zero', path), reason: /no regular file/ },
    {
      what: 'a link that leads nowhere',
      make: (path) => symlinkSync(`${path}.gone`, path),
      reason: /a link that leads nowhere/,
    },
    {
      what: 'a loop of links',
      make: (path) => symlinkSync(path, path),
      reason: /a loop of links/,
    },
  ];
}
