import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { configuredClientIdentities } from '../../../src/identity/peer-certificates/client-identities.ts';
import { parseConfiguration } from '../../../src/platform/configuration.ts';

const sha256 = `04:${Array<string>(32).fill('ab').join(':')}`;
const md5 = `01:${Array<string>(16).fill('ab').join(':')}`;
const sha1 = `02:${Array<string>(20).fill('ab').join(':')}`;

function read(clientIdentities?: object, warnings: object[] = []) {
  const document = JSON.stringify(clientIdentities ? { clientIdentities } : {});
  const warn = (_text: string, fields?: object) => warnings.push(fields ?? {});
  const log = { debug: warn, info: warn, warn, error: warn };
  return configuredClientIdentities(parseConfiguration(document, 'bmc.json'), log as never);
}

describe('the client identities of the configuration', () => {
  it('are none, with no default, unless some are given', () => {
    assert.deepEqual(read(), { certToName: [], defaultIdentity: undefined });
  });

  it('are in the order of the document', () => {
    const { certToName, defaultIdentity } = read({
      certToName: [
        { fingerprint: sha256.toUpperCase(), mapType: 'san-any' },
        { fingerprint: sha256, mapType: 'specified', name: 'alice' },
      ],
      defaultIdentity: { mapType: 'common-name' },
    });
    const fingerprint = { hash: 'sha256', digest: 'ab'.repeat(32) };
    assert.deepEqual(certToName, [
      { fingerprint, mapType: 'san-any' },
      { fingerprint, mapType: 'specified', name: 'alice' },
    ]);
    assert.deepEqual(defaultIdentity, { mapType: 'common-name' });
  });

  it('warn of weak fingerprints, and take MD5 only where the configuration says so', () => {
    const warnings: object[] = [];
    const certToName = [
      { fingerprint: sha1, mapType: 'san-any' },
      { fingerprint: md5, mapType: 'san-any' },
    ];
    assert.equal(read({ certToName, allowWeakFingerprints: true }, warnings).certToName.length, 2);
    assert.deepEqual(warnings, [
      { member: '/clientIdentities/certToName/0/fingerprint', hash: 'sha1' },
      { member: '/clientIdentities/certToName/1/fingerprint', hash: 'md5' },
    ]);
  });

  const one = (entry: object) => ({
    certToName: [{ fingerprint: sha256, mapType: 'san-any' }, entry],
  });
  const at = '/clientIdentities/certToName/1';
  const refused: readonly [string, object, string][] = [
    [
      'an entry without a fingerprint',
      one({ mapType: 'san-any' }),
      `${at}/fingerprint is required`,
    ],
    [
      'a bare digest',
      one({ fingerprint: sha256.slice(3), mapType: 'san-any' }),
      `${at}/fingerprint has the 32 octets of sha256 alone`,
    ],
    ['MD5', one({ fingerprint: md5, mapType: 'san-any' }), `${at}/fingerprint is of MD5`],
    [
      'an unknown map type',
      one({ fingerprint: sha1, mapType: 'san-uri' }),
      `${at}/mapType must be one of specified`,
    ],
    [
      'an unknown member',
      one({ fingerprint: sha1, mapType: 'san-any', user: 'a' }),
      `${at}/user is not known`,
    ],
    [
      'specified without a name',
      one({ fingerprint: sha1, mapType: 'specified' }),
      `${at}/name is required`,
    ],
    [
      'a name with another map type',
      one({ fingerprint: sha1, mapType: 'san-any', name: 'a' }),
      `${at}/name is only for`,
    ],
    [
      'a name of no user',
      one({ fingerprint: sha1, mapType: 'specified', name: 'a/b' }),
      `${at}/name is the name of no user`,
    ],
    [
      'an empty name',
      one({ fingerprint: sha1, mapType: 'specified', name: '' }),
      `${at}/name is the name of no user`,
    ],
    [
      'an entry in vain',
      one({ fingerprint: sha256.toUpperCase(), mapType: 'san-any' }),
      `${at} would never count behind /clientIdentities/certToName/0,`,
    ],
    [
      'a default of specified without a name',
      { defaultIdentity: { mapType: 'specified' } },
      '/clientIdentities/defaultIdentity/name is required',
    ],
    [
      'a default without a map type',
      { defaultIdentity: {} },
      '/clientIdentities/defaultIdentity/mapType is required',
    ],
    ['a list of another type', { certToName: {} }, '/clientIdentities/certToName must be array'],
  ];
  for (const [what, document, named] of refused) {
    it(`are refused with ${what}, with the path`, () => {
      assert.throws(
        () => read(document),
        ({ name, message }: Error) =>
          name === 'SetupError' &&
          message.replace(/ \(line \d+, column \d+\)/, '').includes(` ${named}`),
      );
    });
  }
});
