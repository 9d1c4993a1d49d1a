import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Certificate, readCertificate } from '../../src/x509/certificate.ts';
import { makeRequest } from '../../src/x509/certification-request.ts';
import { formatPem, parsePem } from '../../src/x509/pem.ts';
import { isBadRequest } from '../e2e/commands.ts';

/** What a certificate shall be like; without anything a P-256 leaf that is good in `goodTime`. */
export interface CertificateShape {
  /** In the form of `openssl req -subj`. */
  readonly subject?: string;
  /** Arguments of `openssl genpkey`. */
  readonly key?: readonly string[];
  /** Take this key instead of a new one. */
  readonly keyOf?: Issued;
  /** Lines of an extension section; an empty list makes a certificate without extensions. */
  readonly extensions?: readonly string[];
  readonly digest?: string;
  /** More arguments of `openssl ca`. */
  readonly more?: readonly string[];
  /** GeneralizedTime. */
  readonly from?: string;
  readonly until?: string;
  /** Without one it is self-signed. */
  readonly issuer?: Issued;
}

/** A certificate with its key, both in PEM and in files. */
export interface Issued {
  readonly pem: string;
  readonly key: string;
  readonly path: string;
  readonly keyPath: string;
  readonly certificate: Certificate;
}

/** A time at which everything is valid that is made without dates of its own. */
export const goodTime = new Date('2026-06-01T00:00:00Z');

export const caExtensions = [
  'basicConstraints=critical,CA:TRUE',
  'keyUsage=critical,keyCertSign,cRLSign',
  'subjectKeyIdentifier=hash',
];
const leafExtensions = [
  ...['basicConstraints=CA:FALSE', 'subjectKeyIdentifier=hash'],
  'subjectAltName=DNS:bmc.example.com',
];

export const keyKinds = {
  p256: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  rsa: (bits: number) => ['-algorithm', 'RSA', '-pkeyopt', `rsa_keygen_bits:${bits}`],
  ec: (curve: string) => ['-algorithm', 'EC', '-pkeyopt', `ec_paramgen_curve:${curve}`],
  ed25519: ['-algorithm', 'ED25519'],
};

/** Certificates of any shape, made by the real openssl in a temporary directory. */
export interface OpensslAuthority {
  readonly directory: string;
  issue(shape?: CertificateShape): Issued;
  issueCa(shape?: CertificateShape): Issued;
  /** Signs a request. @returns the PEM of the certificate */
  sign(request: string, issuer: Issued, extensions?: readonly string[], digest?: string): string;
  /** Writes a file into the directory. @returns its path */
  write(name: string, text: string): string;
  remove(): void;
}

export function openssl(args: readonly string[], input: string | Buffer = ''): string {
  const { status, stdout, stderr } = spawnSync('openssl', args, { input, encoding: 'utf8' });
  if (status !== 0 || isBadRequest('openssl', args, stderr))
    throw new Error(`openssl ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

export function opensslAuthority(): OpensslAuthority {
  const directory = mkdtempSync(join(tmpdir(), 'bmc-openssl-'));
  let serial = 0;
  const write = (name: string, text: string) => {
    const path = join(directory, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  write('db', '');
  const configuration = write('ca.cnf', configurationText(directory));

  /** @returns the PEM of the certificate */
  const certify = (requestPath: string, shape: CertificateShape, signer: readonly string[]) => {
    serial += 1;
    const extensions = write(`${serial}.cnf`, (shape.extensions ?? leafExtensions).join('\n'));
    const path = join(directory, `${serial}.pem`);
    openssl([
      ...['ca', '-batch', '-config', configuration, '-notext', '-preserveDN', '-utf8'],
      ...['-in', requestPath, '-out', path, '-rand_serial', ...signer],
      ...['-startdate', shape.from ?? '20260101000000Z'],
      ...['-enddate', shape.until ?? '20360101000000Z'],
      ...((shape.extensions ?? leafExtensions).length > 0 ? ['-extfile', extensions] : []),
      ...(shape.digest === undefined ? [] : ['-md', shape.digest]),
      ...(shape.more ?? []),
    ]);
    return { path, pem: readFileSync(path, 'utf8') };
  };

  /** The usual key, and its request, need no process of openssl. @returns the path of the key */
  const makeKey = (kind: readonly string[] | undefined): string => {
    const path = join(directory, `key-${serial}.pem`);
    if (kind) {
      openssl(['genpkey', ...kind, '-out', path]);
      return path;
    }
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    const content = { subject: [], alternativeNames: [], usages: [] };
    writeFileSync(requestPathOf(path), makeRequest(content, privateKey));
    return path;
  };

  /** A request of a key, whose subject does not matter. @returns its path */
  const requestOf = (keyPath: string): string => {
    const path = requestPathOf(keyPath);
    if (!existsSync(path))
      openssl(['req', '-new', '-key', keyPath, '-subj', '/CN=any', '-out', path]);
    return path;
  };

  const issue = (shape: CertificateShape = {}): Issued => {
    const keyPath = shape.keyOf?.keyPath ?? makeKey(shape.key);
    const { issuer, subject = '/CN=bmc.example.com' } = shape;
    const signer = issuer
      ? ['-cert', issuer.path, '-keyfile', issuer.keyPath]
      : ['-selfsign', '-keyfile', keyPath];
    const named = ['-subj', subject, ...signer];
    const { path, pem } = certify(requestOf(keyPath), shape, named);
    const certificate = certificateOf(pem);
    return { pem, path, keyPath, key: readFileSync(keyPath, 'utf8'), certificate };
  };

  return {
    directory,
    write,
    issue,
    issueCa: (shape = {}) =>
      issue({ subject: '/O=Test, Inc./CN=Test CA', extensions: caExtensions, ...shape }),
    sign(request, issuer, extensions = leafExtensions, digest = 'default') {
      const path = write(`signed-${serial}.pem`, request);
      const signer = ['-cert', issuer.path, '-keyfile', issuer.keyPath];
      return certify(path, { extensions, digest }, signer).pem;
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** The first certificate of a PEM text, as the manager reads it. */
export function certificateOf(pem: string): Certificate {
  const block = parsePem(pem).find(({ label }) => label === 'CERTIFICATE');
  if (!block) throw new Error('no certificate in the text');
  return readCertificate(block.der);
}

/** The PEM of a certificate with another last byte in its signature. */
export function damagedSignature({ der }: Certificate): string {
  const bytes = Buffer.from(der);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  return formatPem('CERTIFICATE', bytes);
}

function requestPathOf(keyPath: string): string {
  return `${keyPath}.request`;
}

function configurationText(directory: string): string {
  return [
    ...['[ca]', 'default_ca=any', '[any]', `database=${join(directory, 'db')}`],
    ...[`new_certs_dir=${directory}`, `serial=${join(directory, 'serial')}`],
    ...['unique_subject=no', 'default_md=default', 'email_in_dn=yes', 'policy=none', '[none]', ''],
  ].join('\n');
}
