import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  validateGenerateCsr,
  validateReplaceCertificate,
} from '../../../schemas/generated/validators.js';
import { makeBody } from '../../../src/redfish/http/request-body.ts';
import { renderMessages } from '../../../src/redfish/messages/base-registry.ts';
import { RedfishError } from '../../../src/redfish/messages/redfish-error.ts';

const certificates = '/redfish/v1/AccountService/LDAP/Certificates';

/** What clients print of the refusal of a body. */
function messagesOf(
  text: string,
  validator: typeof validateGenerateCsr | typeof validateReplaceCertificate,
) {
  try {
    makeBody(Buffer.from(text)).parse<object>(validator, { references: ['CertificateCollection'] });
  } catch (error) {
    if (error instanceof RedfishError)
      return renderMessages(error.messages).map(({ Message }) => Message);
    throw error;
  }
  throw new Error('the body is taken');
}

describe('a body that is no JSON object', () => {
  const secret = 'tops3cret';
  const rows: readonly (readonly [what: string, text: string, reason: RegExp])[] = [
    [
      'PEM',
      '-----BEGIN CERTIFICATE-----\nMII',
      /the body is PEM, and JSON \(application\/json\) is/,
    ],
    ['nothing', '', /the body is empty, and JSON \(application\/json\) is wanted/],
    ['the form of a web page', 'CertificateString=MII', /no JSON \(application\/json\)/],
    [
      'PEM with its line ends in a string',
      '{\n"CertificateString": "-----BEGIN\nMII"}',
      /a string has a line end in line 2, which JSON writes as \\n/,
    ],
    ['single quotes', `{'Password': '${secret}'}`, /no JSON from line 1, column 2 on/],
    ['a comma too many', `{\n"Password": "${secret}",\n}`, /no JSON from line 3, column 1 on/],
    ['an array', '[]', /JSON and no object/],
  ];
  for (const [what, text, reason] of rows) {
    it(`is refused with the reason in a message, and nothing of it: ${what}`, () => {
      const said = messagesOf(text, validateReplaceCertificate).join(' ');
      assert.match(said, reason);
      assert.ok(!said.includes(secret));
    });
  }
});

describe('an unknown member', () => {
  const body = (members: object) =>
    JSON.stringify({ CertificateCollection: certificates, CommonName: 'bmc', ...members });
  const rows: readonly (readonly [given: string, meant: string | undefined])[] = [
    ['OrganizationUnit', 'OrganizationalUnit'],
    ['OrganisationalUnit', 'OrganizationalUnit'],
    ['SurName', 'Surname'],
    ['keyusage', 'KeyUsage'],
    ['AlternativeName', 'AlternativeNames'],
    ['Colour', undefined],
    ['CN', undefined],
    ['x'.repeat(5000), undefined],
  ];
  for (const [given, meant] of rows) {
    it(`${meant ? `that resembles ${meant}` : 'that resembles none'} is refused: ${given.slice(0, 20)}`, () => {
      const [fixed = '', ...reasons] = messagesOf(body({ [given]: 'x' }), validateGenerateCsr);
      assert.match(fixed, /^The property .* is not in the list of valid properties/);
      assert.deepEqual(reasons, meant === undefined ? [] : [`did you mean ${meant}?`]);
    });
  }

  it('within a reference is compared with what a reference has', () => {
    const reference = { CertificateCollection: { 'odata.id': certificates } };
    const said = messagesOf(body(reference), validateGenerateCsr);
    assert.ok(said.includes('did you mean @odata.id?'), said.join(' '));
  });
});
