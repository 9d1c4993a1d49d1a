import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CertError } from '../../../src/core/cert-error.ts';
import { errorOf, readRefusal } from '../../../src/operator/remote/refusal.ts';
import { toRedfishError } from '../../../src/redfish/certificates/errors.ts';
import { renderErrors } from '../../../src/redfish/messages/base-registry.ts';

const answer = (status: number, body: unknown) => ({ status, headers: {}, body });
const extended = (...messages: readonly object[]) => ({
  error: {
    code: 'Base.1.19.GeneralError',
    message: 'See below.',
    '@Message.ExtendedInfo': messages,
  },
});

describe('the refusal of a Redfish service', () => {
  const codes = [
    'key-mismatch',
    'already-installed',
    'limit-reached',
    'busy',
    'not-found',
    'storage',
  ] as const;
  for (const code of codes) {
    it(`is the error ${code} of the manager where ours says so`, () => {
      const { status, messages } = toRedfishError(new CertError(code, 'no key: none. At all'));
      const error = errorOf(readRefusal(answer(status, renderErrors(messages))));
      assert.ok(error instanceof CertError);
      assert.deepEqual([error.code, error.message], [code, 'no key: none. At all']);
    });
  }

  const rows: readonly (readonly [
    what: string,
    status: number,
    body: unknown,
    text: string,
    kind: string,
  ])[] = [
    [
      'has its message and its resolution in one sentence',
      400,
      extended({
        MessageId: 'Base.1.8.PropertyMissing',
        Message: 'City is missing.',
        Resolution: 'Give it.',
      }),
      'City is missing; give it.',
      'refused',
    ],
    [
      'has no resolution that is none',
      403,
      extended({ Message: 'No.', Resolution: 'None.' }),
      'No.',
      'denied',
    ],
    [
      'may have nothing but a status',
      500,
      undefined,
      'The Redfish service answered with the HTTP status 500.',
      'failed',
    ],
    [
      'may have no extended information',
      404,
      { error: { message: 'Gone.' } },
      'Gone.',
      'not-found',
    ],
  ];
  for (const [what, status, body, text, kind] of rows) {
    it(what, () => {
      const error = errorOf(readRefusal(answer(status, body)));
      assert.deepEqual([error.message, 'kind' in error && error.kind], [text, kind]);
    });
  }

  it('tells neither a password nor a private key that it repeats', () => {
    const key = '-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----\n';
    const sent = { CertificateString: `${key}-----BEGIN CERTIFICATE-----`, Password: 'hunter22' };
    const Message = `${JSON.stringify(sent.CertificateString)} and hunter22 and ${key} are wrong`;
    const { message } = errorOf(readRefusal(answer(400, extended({ Message })), sent));
    assert.doesNotMatch(message, /SECRET|hunter22/);
  });
});
