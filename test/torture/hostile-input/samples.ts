import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type CertificateShape,
  keyKinds,
  openssl,
  opensslAuthority,
} from '../../fakes/openssl-authority.ts';

/** What real tools make, in every form that the manager reads. */
export interface Samples {
  /** DER. */
  readonly certificates: readonly Buffer[];
  /** Files with a key, its certificate and a chain. */
  readonly pairs: readonly Buffer[];
  /** PEM of private keys, encrypted ones among them. */
  readonly keys: readonly Buffer[];
  /** DER of certification requests. */
  readonly requests: readonly Buffer[];
  /** PEM and DER. */
  readonly pkcs7: readonly Buffer[];
  readonly pkcs12: readonly Buffer[];
}

/** Opens whatever of the samples is encrypted. */
export const password = 'opens it';

const everyExtension = [
  'basicConstraints=critical,CA:TRUE,pathlen:3',
  'keyUsage=critical,keyCertSign,cRLSign,digitalSignature,decipherOnly',
  'extendedKeyUsage=serverAuth,clientAuth,1.2.3.4',
  'subjectKeyIdentifier=hash',
  'authorityKeyIdentifier=keyid,issuer:always',
  'subjectAltName=DNS:bmc.example.com,DNS:*.example.com,IP:192.0.2.1,IP:2001:db8::1,email:a@b.example,' +
    'URI:https://bmc.example.com/,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:admin@example.com,RID:1.2.3',
  'nameConstraints=critical,permitted;DNS:example.com,excluded;IP:10.0.0.0/255.0.0.0',
  'crlDistributionPoints=URI:http://crl.example.com/a.crl',
  'certificatePolicies=1.2.3.4,2.5.29.32.0',
  'policyConstraints=requireExplicitPolicy:3',
  'inhibitAnyPolicy=2',
  'nsComment=a comment',
  'nsCertType=server,client',
  '1.2.3.4.5=critical,DER:0500',
];

const shapes: readonly CertificateShape[] = [
  { extensions: everyExtension },
  { subject: '/C=CH/ST=Zürich/O=Test, Inc./OU=a/OU=b/DC=example/DC=com/emailAddress=a@b/CN=bmc' },
  { extensions: [] },
  { key: keyKinds.rsa(2048), until: '20560101000000Z' },
  { key: keyKinds.ed25519 },
  { key: ['-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048'] },
];

/** Made anew for each run: what is random in them does not matter to any test. */
export function makeSamples(): Samples {
  const tools = opensslAuthority();
  try {
    const root = tools.issueCa();
    const issued = shapes.map((shape) => tools.issue({ issuer: root, ...shape }));
    const [first = root] = issued;
    const at = (name: string) => join(tools.directory, name);
    const chain = tools.write('chain.pem', first.pem + root.pem);
    const pkcs7 = (form: string) => {
      openssl(['crl2pkcs7', '-nocrl', '-certfile', chain, '-outform', form, '-out', at('p7')]);
      return readFileSync(at('p7'));
    };
    const pkcs12 = (...more: string[]) => {
      const files = ['-in', first.path, '-inkey', first.keyPath, '-certfile', root.path];
      const secret = ['-passout', `pass:${password}`, '-out', at('p12')];
      openssl(['pkcs12', '-export', ...files, ...secret, '-iter', '2', ...more]);
      return readFileSync(at('p12'));
    };
    const encrypted = (...more: string[]) =>
      Buffer.from(
        openssl(['pkcs8', '-topk8', '-in', first.keyPath, '-passout', `pass:${password}`, ...more]),
      );
    const request = (...more: string[]) => {
      const subject = [
        '-key',
        first.keyPath,
        '-subj',
        '/CN=bmc',
        '-outform',
        'DER',
        '-out',
        at('csr'),
      ];
      openssl(['req', '-new', ...subject, ...more]);
      return readFileSync(at('csr'));
    };
    const all = [root, ...issued];
    return {
      certificates: all.map(({ certificate }) => certificate.der),
      pairs: all.map(({ key, pem }) => Buffer.from(key + pem + root.pem)),
      keys: [
        ...all.map(({ key }) => Buffer.from(key)),
        ...otherKeys(),
        encrypted('-iter', '2'),
        encrypted('-scrypt', '-scrypt_N', '4', '-scrypt_r', '1', '-scrypt_p', '1'),
        encrypted('-v1', 'PBE-SHA1-3DES', '-iter', '2'),
        Buffer.from(
          openssl(['ec', '-in', first.keyPath, '-aes128', '-passout', `pass:${password}`]),
        ),
        Buffer.from(openssl(['ec', '-in', first.keyPath, '-param_enc', 'explicit'])),
      ],
      requests: [request(), request('-addext', 'subjectAltName=DNS:bmc')],
      pkcs7: [pkcs7('PEM'), pkcs7('DER')],
      pkcs12: [pkcs12(), pkcs12('-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'NONE'), pkcs12('-nomac')],
    };
  } finally {
    tools.remove();
  }
}

/** Kinds that no service uses. */
function otherKeys(): Buffer[] {
  const keys = [
    generateKeyPairSync('x25519'),
    generateKeyPairSync('ed448'),
    generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }),
    generateKeyPairSync('ec', { namedCurve: 'sect163k1' }),
  ];
  return keys.map(({ privateKey }) =>
    Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()),
  );
}
