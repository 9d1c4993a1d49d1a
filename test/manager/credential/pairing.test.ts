import assert from 'node:assert/strict';
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { selectChain } from '../../../src/manager/checks/chain.ts';
import { type KeySource, matchKey, presumedLeaf } from '../../../src/manager/credential/pairing.ts';
import { parseUpload } from '../../../src/manager/upload.ts';
import { publicKeyHash, publicKeyInfo } from '../../../src/x509/keys.ts';
import { formatPem } from '../../../src/x509/pem.ts';
import {
  caExtensions,
  goodTime,
  type Issued,
  openssl,
  opensslAuthority,
} from '../../fakes/openssl-authority.ts';
import { refusal } from '../../fakes/refusal.ts';
import { countingVerifications } from '../../fakes/verifications.ts';

const authority = opensslAuthority();
after(() => authority.remove());

const root = authority.issueCa();
const upper = authority.issue({ issuer: root, subject: '/CN=upper', extensions: caExtensions });
const lower = authority.issue({ issuer: upper, subject: '/CN=lower', extensions: caExtensions });
const leaf = authority.issue({ issuer: lower });
const stranger = authority.issue({ subject: '/CN=stranger' });
const renewed = authority.issue({ issuer: lower, keyOf: leaf });

/** Keys that wait for their certificates. */
function waitingFor(...pairs: Issued[]): KeySource {
  const keys = new Map<string, KeyObject>(
    pairs.map(({ certificate, key }) => [
      publicKeyHash(publicKeyInfo(certificate.publicKey)),
      createPrivateKey(key),
    ]),
  );
  return { find: async (hash) => keys.get(hash), isEmpty: async () => keys.size === 0 };
}
const nobody = waitingFor();

const now = goodTime.getTime() / 1000;
const pair = async (text: string, waiting: KeySource = nobody) => {
  const upload = parseUpload(text, 10);
  const match = await matchKey(upload, waiting, now);
  return { ...match, ...selectChain(match.leaf, upload.certificates, now) };
};

const every = { leaf, lower, upper, root, stranger };
const nameOf = (pem: string) =>
  Object.entries(every).find(([, issued]) => issued.pem === pem)?.[0] ?? 'unknown';

describe('pairing a certificate with its key', () => {
  const orders: [string, string, string][] = [
    ['the key is before the leaf', leaf.key + leaf.pem, 'leaf'],
    ['the key is after the leaf', leaf.pem + leaf.key, 'leaf'],
    [
      'the file is in serving order',
      leaf.key + leaf.pem + lower.pem + upper.pem + root.pem,
      'leaf lower upper root',
    ],
    [
      'the file begins with the root',
      root.pem + upper.pem + lower.pem + leaf.pem + leaf.key,
      'leaf lower upper root',
    ],
    [
      'the leaf is in the middle',
      upper.pem + leaf.pem + leaf.key + root.pem + lower.pem,
      'leaf lower upper root',
    ],
    [
      'a stranger is among them',
      stranger.pem + upper.pem + leaf.key + leaf.pem + lower.pem,
      'leaf lower upper',
    ],
    ['an issuer is missing', upper.pem + leaf.pem + leaf.key, 'leaf'],
    ['the leaf is there twice', leaf.pem + lower.pem + leaf.pem + leaf.key, 'leaf lower'],
    ['the issuer is there twice', leaf.pem + lower.pem + lower.pem + leaf.key, 'leaf lower'],
    ['the key of the stranger is there too', stranger.key + leaf.key + leaf.pem, 'leaf'],
    ['a key is there twice', leaf.key + leaf.key + leaf.pem, 'leaf'],
  ];
  for (const [what, text, expected] of orders) {
    it(`finds the leaf and puts the chain in order when ${what}`, async () => {
      const found = await pair(text);
      const names = [found.leaf, ...found.chain].map(({ pem }) => nameOf(pem));
      assert.equal(names.join(' '), expected);
      assert.ok(found.leaf.x509.checkPrivateKey(found.key));
    });
  }

  it('takes the certificate that the key is for, even when it is a CA', async () => {
    const found = await pair(leaf.pem + lower.pem + lower.key);
    assert.equal(nameOf(found.leaf.pem), 'lower');
  });

  it('finds a key whose point is written in another form than that of the certificate', async () => {
    const forms = ['compressed', 'hybrid', 'uncompressed'].map((form) =>
      openssl(['ec', '-conv_form', form], leaf.key),
    );
    const pems = forms.map((key) => {
      const path = authority.write('form.key', key);
      return openssl(['req', '-x509', '-new', '-key', path, '-subj', '/CN=bmc7']);
    });
    for (const pem of pems) {
      for (const key of forms) assert.equal((await pair(pem + key)).leaf.pem, pem);
      assert.equal((await pair(pem, waitingFor(leaf))).leaf.pem, pem);
    }
  });

  it('finds a key whose curve is written as its parameters', async () => {
    const key = openssl(['ec', '-param_enc', 'explicit'], leaf.key);
    assert.match(openssl(['ec', '-text', '-noout'], key), /Field Type: prime-field/);
    assert.equal((await pair(leaf.pem + key)).leaf.pem, leaf.pem);
  });

  it('finds a key that waits', async () => {
    const found = await pair(
      root.pem + upper.pem + lower.pem + leaf.pem,
      waitingFor(stranger, leaf),
    );
    assert.equal(nameOf(found.leaf.pem), 'leaf');
    assert.equal(found.chain.length, 3);
    assert.ok(found.leaf.x509.checkPrivateKey(found.key));
  });

  it('finds the key of an earlier certificate for a renewed one', async () => {
    const found = await pair(renewed.pem, waitingFor(leaf));
    assert.equal(found.leaf.pem, renewed.pem);
    assert.ok(found.leaf.x509.checkPrivateKey(found.key));
  });

  it('prefers what a CA issued to a self-signed certificate for the same key', async () => {
    const own = authority.issue({ keyOf: leaf });
    const found = await pair(leaf.key + own.pem + leaf.pem + lower.pem);
    assert.equal(nameOf(found.leaf.pem), 'leaf');
    assert.deepEqual(
      [found.chain, found.leftOut].map(({ length }) => length),
      [1, 1],
    );
  });

  it('prefers a key in the file to one that waits', async () => {
    await assert.rejects(pair(stranger.key + leaf.pem, waitingFor(leaf)), refusal('key-mismatch'));
  });
});

describe('pairing is refused', () => {
  const encrypted = openssl(['pkey', '-aes128', '-passout', 'pass:tops3cret'], leaf.key);
  const broken = formatPem('PRIVATE KEY', Buffer.from('no key'));

  for (const [what, text, waiting, code] of [
    ['no key is known at all', leaf.pem, nobody, 'key-missing'],
    ['the keys that wait are for others', leaf.pem, waitingFor(stranger), 'key-mismatch'],
    ['the key in the file is another', stranger.key + leaf.pem, nobody, 'key-mismatch'],
    ['all keys in the file are others', stranger.key + root.key + leaf.pem, nobody, 'key-mismatch'],
    ['the key is encrypted', encrypted + leaf.pem, nobody, 'key-encrypted'],
    ['the key cannot be read', broken + leaf.pem, nobody, 'key-malformed'],
    ['a second key is encrypted', leaf.key + encrypted + leaf.pem, nobody, 'key-encrypted'],
  ] as const) {
    it(`as ${code} when ${what}`, async () => {
      await assert.rejects(pair(text, waiting), (error: Error) => {
        refusal(code)(error);
        assert.doesNotMatch(error.message, /MIG|tops3cret/);
        return true;
      });
    });
  }
});

describe('the certificate that is checked first', () => {
  for (const [what, text, expected] of [
    ['alone', leaf.pem, 'leaf'],
    [
      'the one that issued nothing, last in the file',
      root.pem + upper.pem + lower.pem + leaf.pem,
      'leaf',
    ],
    ['a self-signed one', stranger.pem, 'stranger'],
    ['the first of two strangers', stranger.pem + leaf.pem, 'stranger'],
    ['a self-signed one that is there twice', stranger.pem + stranger.pem, 'stranger'],
  ] as const) {
    it(`is ${what}`, () => {
      assert.equal(nameOf(presumedLeaf(parseUpload(text, 10)).pem), expected);
    });
  }

  it('is found without a look at signatures, which may be too many', () => {
    const text = [root, upper, lower, leaf].map(({ pem }) => pem).join('');
    const { result, verified } = countingVerifications(() => presumedLeaf(parseUpload(text, 10)));
    assert.deepEqual([result.pem, verified], [leaf.pem, 0]);
  });

  it('is refused when there is none', () => {
    assert.throws(
      () => presumedLeaf({ certificates: [], keyBlocks: [] }),
      refusal('no-certificate'),
    );
  });
});
