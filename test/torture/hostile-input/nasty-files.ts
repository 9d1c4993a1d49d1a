import { generateKeyPairSync } from 'node:crypto';
import { makeRequest } from '../../../src/x509/certification-request.ts';
import {
  commonName,
  element,
  forge,
  keyPem,
  nameOf,
  nested,
  pair,
  pem,
} from './forged-anything.ts';
import {
  chain,
  encrypted,
  endless,
  explicit,
  keyBag,
  outside,
  pkcs12,
  pkcs12WithRc2,
  scryptKey,
  sec1,
  signedData,
  slowKey,
  slowPkcs12,
  wrongHalf,
} from './forged-containers.ts';
import { encodedText } from './nasty-fields.ts';
import { type Nasty, row } from './nasty-row.ts';

const own = forge();
const ownPem = pem(own);
const leaf = forge({ extensions: 'none' });
const credentialFile = keyPem + pem(leaf);
const other = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
const p384 = generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).privateKey;
const exported = (key: typeof other) => key.export({ type: 'pkcs8', format: 'pem' }).toString();

const served = 'OpenSSL and GnuTLS load it';

/** Files, keys, containers and chains. */
export const nastyFiles: readonly Nasty[] = [
  row(
    {
      what: 'two leaves with one key',
      to: 'client',
      verdict: 'accepted',
      because: 'the one that the key fits first is served',
    },
    () =>
      credentialFile +
      pem(forge({ extensions: 'none', subject: nameOf([commonName, encodedText('another')]) })),
  ),
  row(
    {
      what: 'the key of another certificate',
      to: 'server',
      verdict: 'key-mismatch',
      because: 'OpenSSL refuses to load the pair',
    },
    () => exported(other) + pem(leaf),
  ),
  row(
    {
      what: 'a key on another curve',
      to: 'server',
      verdict: 'key-mismatch',
      because: 'OpenSSL refuses to load the pair',
    },
    () => exported(p384) + pem(leaf),
  ),
  row(
    {
      what: 'a key with a number outside of its curve',
      to: 'server',
      verdict: 'key-malformed',
      because: 'OpenSSL loads it, and fails to write it and to sign',
    },
    () => outside() + pem(leaf),
  ),
  row(
    {
      what: 'an RSA key with a prime of 50 000 bits',
      to: 'server',
      verdict: 'key-malformed',
      because: 'OpenSSL loads it and takes minutes for one signature',
    },
    () => endless() + pem(leaf),
  ),
  row(
    {
      what: 'an encrypted key whose scrypt has no numbers',
      to: 'server',
      verdict: 'container-malformed',
      because: 'nobody knows how long it would take',
    },
    () => scryptKey + pem(leaf),
    { password: 'x' },
  ),
  row(
    {
      what: 'a key whose secret half is another',
      to: 'server',
      verdict: 'key-malformed',
      because: 'OpenSSL loads it and fails in every handshake',
    },
    () => wrongHalf() + pem(leaf),
  ),
  row(
    { what: 'a key in SEC 1', to: 'server', verdict: 'accepted', because: served },
    () => sec1() + pem(leaf),
  ),
  row(
    {
      what: 'a key with explicit parameters',
      to: 'server',
      verdict: 'accepted',
      because: 'OpenSSL knows it for the key of the certificate, and serves with it',
    },
    () => explicit() + pem(leaf),
  ),
  row(
    {
      what: 'an encrypted key',
      to: 'server',
      verdict: 'key-encrypted',
      because: 'nobody could open it when the service starts',
    },
    () => encrypted() + pem(leaf),
  ),
  row(
    {
      what: 'an encrypted key with its password',
      to: 'server',
      verdict: 'accepted',
      because: 'it is kept open',
    },
    () => encrypted() + pem(leaf),
    { password: 'x' },
  ),
  row(
    {
      what: 'an encrypted key with two thousand million rounds',
      to: 'server',
      verdict: 'key-derivation-limit',
      because: 'OpenSSL derives for half an hour',
    },
    () => slowKey + pem(leaf),
    { password: 'x' },
  ),
  row(
    {
      what: 'PKCS #12 with two thousand million rounds',
      to: 'client',
      verdict: 'key-derivation-limit',
      because: 'OpenSSL derives for half an hour',
    },
    () => slowPkcs12,
    { format: 'PKCS12', password: 'x' },
  ),
  row(
    {
      what: 'PKCS #12 nested 10 000 deep',
      to: 'client',
      verdict: 'certificate-malformed',
      because: 'its bytes begin as those of a certificate do',
    },
    () => nested(10_000),
    { format: 'PKCS12', password: 'x' },
  ),
  row(
    {
      what: 'PKCS #7 without a certificate',
      to: 'authority',
      verdict: 'no-certificate',
      because: 'there is none',
    },
    () => signedData(Buffer.of(0xa0, 0)),
    { format: 'PKCS7' },
  ),
  row(
    {
      what: 'PKCS #7 with 60 certificates',
      to: 'authority',
      verdict: 'too-many-certificates',
      because: 'one at a time',
    },
    () => signedData(element(0xa0, ...Array<Buffer>(60).fill(own))),
    { format: 'PKCS7' },
  ),
  row(
    {
      what: 'PKCS #7 within PKCS #7',
      to: 'authority',
      verdict: 'certificate-malformed',
      because: 'it is no certificate',
    },
    () => signedData(element(0xa0, signedData(element(0xa0, own)))),
    { format: 'PKCS7' },
  ),
  row(
    {
      what: 'a chain of 100',
      to: 'client',
      verdict: 'too-many-certificates',
      because: 'OpenSSL verifies 100 at most, and the limit is in the configuration',
    },
    () => keyPem + chain(100, false),
  ),
  row(
    {
      what: 'a chain that is a loop',
      to: 'client',
      verdict: 'accepted',
      because: 'OpenSSL and GnuTLS serve it as it is; each is sent once',
    },
    () => keyPem + chain(6, true),
  ),
  row(
    {
      what: 'an issuer of 30 kB that is not there',
      to: 'authority',
      verdict: 'accepted',
      because: 'OpenSSL and GnuTLS read it',
    },
    () => pem(forge({ issuer: nameOf([commonName, encodedText('x'.repeat(30_000))]) })),
  ),
  row(
    {
      what: 'the same certificate twice',
      to: 'client',
      verdict: 'accepted',
      because: 'it is served once',
    },
    () => credentialFile + pem(leaf),
  ),
  row(
    {
      what: 'a certificate under the label of a key',
      to: 'client',
      verdict: 'key-malformed',
      because: 'it is none',
    },
    () => ownPem.replaceAll('CERTIFICATE', 'PRIVATE KEY') + pem(leaf),
  ),
  row(
    {
      what: 'a public key under the label of a certificate',
      to: 'authority',
      verdict: 'certificate-malformed',
      because: 'it is none',
    },
    () => pem(pair.publicKey.export({ type: 'spki', format: 'der' })),
  ),
  row(
    {
      what: 'a request under the label of a certificate',
      to: 'authority',
      verdict: 'certificate-malformed',
      because: 'it is none',
    },
    () =>
      makeRequest({ subject: [], alternativeNames: [], usages: [] }, pair.privateKey).replaceAll(
        'CERTIFICATE REQUEST',
        'CERTIFICATE',
      ),
  ),
  row(
    {
      what: 'PKCS #7 with 300 000 empty elements',
      to: 'authority',
      verdict: 'container-malformed',
      because: 'no container has so many',
    },
    () => signedData(element(0xa0, Buffer.from('0500'.repeat(300_000), 'hex'))),
    { format: 'PKCS7' },
  ),
  row(
    {
      what: '17 000 PEM blocks',
      to: 'client',
      verdict: 'too-many-certificates',
      because: 'the limit is in the configuration',
    },
    () => pem(Buffer.of(0x30, 0)).repeat(17_000),
  ),
  row(
    {
      what: '17 private keys',
      to: 'client',
      verdict: 'too-many-certificates',
      because: 'the limit is in the configuration',
    },
    () => keyPem.repeat(17) + pem(leaf),
  ),
  row(
    {
      what: '300 000 empty lines in a block',
      to: 'client',
      verdict: 'pem-malformed',
      because: 'it holds nothing',
    },
    () => pem(leaf).replace(/\n[^-]+\n/, ' \n'.repeat(300_000)),
  ),
  row(
    {
      what: 'PKCS #12 with 4000 keys in it',
      to: 'client',
      verdict: 'too-many-certificates',
      because: 'the limit is in the configuration',
    },
    () => pkcs12(element(0x30, ...Array<Buffer>(4000).fill(keyBag))),
    { format: 'PKCS12', password: 'x' },
  ),
  row(
    {
      what: 'PKCS #12 with 700 kB that RC2 encrypted',
      to: 'client',
      verdict: 'password-wrong',
      because: 'it is opened before anybody knows',
    },
    () => pkcs12WithRc2(Buffer.alloc(700_000, 7)),
    { format: 'PKCS12', password: 'x' },
  ),
];
