import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CsrParameters } from '../../../src/manager/csr/parameters.ts';
import { planRequest } from '../../../src/manager/csr/plan.ts';
import type { EndpointType } from '../../../src/manager/endpoint-definition.ts';
import { csrParameters } from '../../fakes/manager-world.ts';
import { refusal } from '../../fakes/refusal.ts';

type Given = Partial<CsrParameters>;

const algorithmOf = (given: Given) =>
  planRequest(csrParameters({ KeyPairAlgorithm: '', KeyCurveId: '', ...given }), 'server')
    .algorithm;

describe('the key of a request', () => {
  const rsa: [string, Given, number][] = [
    ['RSA has 2048 bits when none are given', { KeyPairAlgorithm: 'RSA' }, 2048],
    ['RSA may have 2048 bits', { KeyPairAlgorithm: 'RSA', KeyBitLength: 2048n }, 2048],
    ['RSA may have 3072 bits', { KeyPairAlgorithm: 'RSA', KeyBitLength: 3072n }, 3072],
    ['RSA may have 4096 bits', { KeyPairAlgorithm: 'RSA', KeyBitLength: 4096n }, 4096],
    ['RSA has a name of TPM', { KeyPairAlgorithm: 'TPM_ALG_RSA' }, 2048],
    ['RSA has another name of TPM', { KeyPairAlgorithm: 'TPM_ALG_RSASSA' }, 2048],
    ['RSA has no curve', { KeyPairAlgorithm: 'RSA', KeyCurveId: 'P-256' }, 2048],
  ];
  for (const [what, given, bits] of rsa) {
    it(what, () => assert.deepEqual(algorithmOf(given), { kind: 'RSA', bits }));
  }

  const ec: [string, Given, string][] = [
    ['is EC on secp384r1 when nothing is given', {}, 'secp384r1'],
    ['is EC when only a curve is given', { KeyCurveId: 'secp384r1' }, 'secp384r1'],
    ['EC has no length', { KeyPairAlgorithm: 'EC', KeyBitLength: 2048n }, 'secp384r1'],
  ];
  const spellings: Record<string, readonly string[]> = {
    secp224r1: ['secp224r1', 'P-224', 'TPM_ECC_NIST_P224'],
    prime256v1: ['prime256v1', 'secp256r1', 'P-256', 'TPM_ECC_NIST_P256'],
    secp384r1: ['secp384r1', 'P-384', 'TPM_ECC_NIST_P384'],
    secp521r1: ['secp521r1', 'P-521', 'TPM_ECC_NIST_P521'],
  };
  for (const [curve, names] of Object.entries(spellings)) {
    for (const KeyCurveId of names) ec.push([`${KeyCurveId} is ${curve}`, { KeyCurveId }, curve]);
  }
  for (const KeyPairAlgorithm of [
    'EC',
    'ECC',
    'ECDSA',
    'TPM_ALG_ECC',
    'TPM_ALG_ECDH',
    'TPM_ALG_ECDSA',
  ]) {
    const given = { KeyPairAlgorithm, KeyCurveId: 'P-256' };
    ec.push([`${KeyPairAlgorithm} is EC`, given, 'prime256v1']);
  }
  for (const [what, given, curve] of ec) {
    it(what, () => assert.deepEqual(algorithmOf(given), { kind: 'EC', curve }));
  }
});

describe('the content of a request', () => {
  it('has the subject in upstream order, without what is not given', () => {
    const { content } = planRequest(
      csrParameters({
        ...{ Surname: 'k', State: 'j', OrganizationalUnit: 'i', Organization: 'h' },
        ...{ Initials: 'g', GivenName: 'f', Email: 'e@e', Country: 'DD', ContactPerson: 'c' },
        ...{ CommonName: 'b', City: 'a' },
      }),
      'client',
    );
    const types = content.subject.map(({ type, value }) => `${type}=${value}`).join();
    assert.equal(types, 'L=a,CN=b,name=c,C=DD,emailAddress=e@e,GN=f,initials=g,O=h,OU=i,ST=j,SN=k');
    assert.deepEqual(planRequest(csrParameters(), 'client').content, {
      subject: [{ type: 'CN', value: 'bmc' }],
      alternativeNames: [],
      usages: [],
    });
  });

  it('has names, usages and attributes as they were given', () => {
    const { content } = planRequest(
      csrParameters({
        AlternativeNames: ['bmc', 'IP: 192.0.2.1'],
        KeyUsage: ['KeyAgreement', 'ServerAuthentication'],
        ChallengePassword: 'pass, word',
        UnstructuredName: 'Gestell für 7',
        CommonName: '',
      }),
      'server',
    );
    assert.deepEqual(content, {
      subject: [],
      alternativeNames: [
        { kind: 'dns', value: 'bmc' },
        { kind: 'ip', value: '192.0.2.1' },
      ],
      usages: ['KeyAgreement', 'ServerAuthentication'],
      challengePassword: 'pass, word',
      unstructuredName: 'Gestell für 7',
    });
  });
});

describe('the names of a request', () => {
  const namesOf = (type: EndpointType, CommonName: string, AlternativeNames: string[] = []) =>
    planRequest(csrParameters({ CommonName, AlternativeNames }), type).content.alternativeNames;

  const hosts: readonly [string, string, 'dns' | 'ip', string][] = [
    ['a host name', 'bmc7.example.com', 'dns', 'bmc7.example.com'],
    ['a name of one label', 'bmc7', 'dns', 'bmc7'],
    ['a wildcard', '*.example.com', 'dns', '*.example.com'],
    ['a name with the dot of the root', 'bmc7.example.com.', 'dns', 'bmc7.example.com'],
    ['a name in another script', 'bücher.example', 'dns', 'xn--bcher-kva.example'],
    ['a name with a port', 'bmc7.example.com:443', 'dns', 'bmc7.example.com'],
    ['a name with the prefix of OpenSSL', 'DNS: bmc7', 'dns', 'bmc7'],
    ['an address', '192.0.2.7', 'ip', '192.0.2.7'],
    ['an address of IPv6', '2001:db8::7', 'ip', '2001:db8::7'],
    ['an address of IPv6 as URLs have it', '[2001:db8::7]', 'ip', '2001:db8::7'],
    ['an address of IPv6 with a port', '[2001:db8::7]:443', 'ip', '2001:db8::7'],
  ];
  for (const [what, text, kind, value] of hosts) {
    it(`are the common name of a server that is ${what}, where no others are given`, () => {
      assert.deepEqual(namesOf('server', text), [{ kind, value }]);
    });
  }

  const others = [
    ['a name of a product', 'Rack 7 BMC'],
    ['an e-mail address', 'admin@example.com'],
    ['a URI', 'https://bmc.example.com/'],
    ['a number, which URLs take for an address', '1234567'],
    ['an address that is none', '300.0.2.7'],
    ['an address with the zone of a machine', 'fe80::7%eth0'],
    ['a star', '*'],
  ] as const;
  for (const [what, text] of others) {
    it(`are none where the common name of a server is ${what}`, () => {
      assert.deepEqual(namesOf('server', text), []);
    });
  }

  it('are the alternative names alone where there are any', () => {
    assert.deepEqual(namesOf('server', 'bmc7', ['192.0.2.7']), [
      { kind: 'ip', value: '192.0.2.7' },
    ]);
  });

  it('are not the common name of a client', () => {
    assert.deepEqual(namesOf('client', 'bmc7.example.com'), []);
  });

  for (const CommonName of ['', '  ']) {
    it(`are missing where the common name is ${JSON.stringify(CommonName)}, and there are no others`, () => {
      const given = csrParameters({ CommonName, Organization: 'Example' });
      for (const type of ['server', 'client', 'authority'] as const)
        assert.throws(
          () => planRequest(given, type),
          refusal('argument-invalid', /^CommonName is missing, and so are AlternativeNames/),
        );
    });
  }
});

describe('a name with a port in a request', () => {
  it('is there without the port', () => {
    const AlternativeNames = ['DNS: 192.0.2.7:443', 'DNS: bmc:443', 'DNS: localhost'];
    assert.deepEqual(
      planRequest(csrParameters({ AlternativeNames }), 'server').content.alternativeNames,
      [
        { kind: 'ip', value: '192.0.2.7' },
        { kind: 'dns', value: 'bmc' },
        { kind: 'dns', value: 'localhost' },
      ],
    );
  });
});

describe('an argument of a request', () => {
  const long = (count: number) => 'ü'.repeat(count);

  const accepted: [string, Given][] = [
    ['a common name of 64 characters that are more bytes', { CommonName: long(64) }],
    ['a name with every mark', { Organization: 'Ac/me, "Inc." + <&> = #;\\' }],
    ['a country in lower case', { Country: 'ch' }],
    ['a hundred alternative names', { AlternativeNames: Array(100).fill('a') }],
    ['a name with a joiner that its script needs', { CommonName: 'نامه\u200cای' }],
    ['a password of 255 characters', { ChallengePassword: long(255) }],
    ['characters outside of the basic plane', { CommonName: '😀'.repeat(64) }],
  ];
  for (const [what, given] of accepted) {
    it(`may be ${what}`, () =>
      assert.doesNotThrow(() => planRequest(csrParameters(given), 'server')));
  }

  const refused: [string, string, Given][] = [
    ['CommonName', 'of 65 characters', { CommonName: long(65) }],
    ['Organization', 'of 65 characters', { Organization: long(65) }],
    ['OrganizationalUnit', 'of 65 characters', { OrganizationalUnit: long(65) }],
    ['City', 'of 129 characters', { City: long(129) }],
    ['State', 'of 129 characters', { State: long(129) }],
    ['Email', 'of 129 characters', { Email: 'a'.repeat(129) }],
    ['Surname', 'of 32769 characters', { Surname: long(32_769) }],
    ['GivenName', 'with a line break', { GivenName: 'a\nb' }],
    ['Initials', 'with a NUL', { Initials: 'a\0' }],
    ['ContactPerson', 'with a DEL', { ContactPerson: 'a\x7f' }],
    ['CommonName', 'with a control character of C1', { CommonName: 'a\u0085b' }],
    ['CommonName', 'that turns the direction of writing', { CommonName: 'bmc\u202egpj' }],
    ['Organization', 'that isolates a direction of writing', { Organization: 'a\u2066b' }],
    ['City', 'with half of a character', { City: 'a\ud83db' }],
    ['UnstructuredName', 'with the other half', { UnstructuredName: '\ude00' }],
    ['ChallengePassword', 'that turns the direction', { ChallengePassword: 'a\u202bb' }],
    ['Country', 'of one letter', { Country: 'C' }],
    ['Country', 'of three letters', { Country: 'CHE' }],
    ['Country', 'of digits', { Country: '41' }],
    ['Country', 'outside of ASCII', { Country: 'ÄÖ' }],
    ['Email', 'outside of ASCII', { Email: 'ä@b' }],
    ['ChallengePassword', 'of 256 characters', { ChallengePassword: long(256) }],
    ['ChallengePassword', 'with a tab', { ChallengePassword: 'a\tb' }],
    ['UnstructuredName', 'of 256 characters', { UnstructuredName: long(256) }],
    ['AlternativeNames', 'of 101 entries', { AlternativeNames: Array(101).fill('a') }],
    ['AlternativeNames/1', 'that is no name', { AlternativeNames: ['a', 'not a name'] }],
    ['AlternativeNames/0', 'that is empty', { AlternativeNames: [''] }],
    ['KeyUsage', 'of 21 entries', { KeyUsage: Array(21).fill('KeyAgreement') }],
    ['KeyUsage/1', 'that Redfish does not know', { KeyUsage: ['KeyCertSign', 'digitalSignature'] }],
    ['KeyUsage/0', 'that every object has', { KeyUsage: ['toString'] }],
    ['KeyPairAlgorithm', 'that is neither', { KeyPairAlgorithm: 'DSA' }],
    ['KeyPairAlgorithm', 'in lower case', { KeyPairAlgorithm: 'rsa' }],
    ['KeyCurveId', 'that is unknown', { KeyCurveId: 'secp192r1' }],
    ['KeyCurveId', 'that every object has', { KeyCurveId: 'constructor' }],
    ['KeyBitLength', 'of 1024', { KeyPairAlgorithm: 'RSA', KeyBitLength: 1024n }],
    ['KeyBitLength', 'between two', { KeyPairAlgorithm: 'RSA', KeyBitLength: 2049n }],
    ['KeyBitLength', 'of 8192', { KeyPairAlgorithm: 'RSA', KeyBitLength: 8192n }],
    ['KeyBitLength', 'below zero', { KeyPairAlgorithm: 'RSA', KeyBitLength: -2048n }],
    ['KeyBitLength', 'beyond numbers', { KeyPairAlgorithm: 'RSA', KeyBitLength: 2n ** 63n - 1n }],
  ];
  for (const [argument, what, given] of refused) {
    it(`is refused by its name: ${argument} ${what}`, () => {
      const words = new RegExp(`^${argument} `);
      assert.throws(
        () => planRequest(csrParameters(given), 'server'),
        refusal('argument-invalid', words),
      );
    });
  }

  it('is refused with the form that it has to have, rather than its length', () => {
    const words = /^Country is not a code of two letters/;
    const given = csrParameters({ Country: 'CHE' });
    assert.throws(() => planRequest(given, 'server'), refusal('argument-invalid', words));
  });

  it('is refused with the longest that each kind of name may be', () => {
    const given = csrParameters({ AlternativeNames: [`URI:a://${'a'.repeat(2048)}`] });
    const words = /^AlternativeNames\/0 .*253.*64.*255.*2048/;
    assert.throws(() => planRequest(given, 'server'), refusal('argument-invalid', words));
  });

  it('is never quoted when it is a password', () => {
    assert.throws(
      () => planRequest(csrParameters({ ChallengePassword: 'tops3cret\n' }), 'server'),
      (error: Error) => !error.message.includes('tops3cret'),
    );
  });
});
