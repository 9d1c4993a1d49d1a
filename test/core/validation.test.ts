import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  validateConfiguration,
  validateReplaceCertificate,
  validateSessionCreate,
} from '../../schemas/generated/validators.js';
import { validate } from '../../src/core/validation.ts';

const secret = 'hunter2-hunter2';

describe('validation', () => {
  it('answers a good value with its defaults', () => {
    const result = validate(validateConfiguration, {});
    assert.ok(result.ok);
    assert.equal(result.value.redfish.port, 443);
  });

  const kinds: readonly { kind: string; value: unknown; path: string; text: RegExp }[] = [
    { kind: 'missing', value: { UserName: 'admin' }, path: '/Password', text: /is required/ },
    {
      kind: 'unknown',
      value: { UserName: 'admin', Password: secret, Colour: secret },
      path: '/Colour',
      text: /is not known/,
    },
    { kind: 'type', value: { UserName: 'admin', Password: 5 }, path: '/Password', text: /string/ },
    { kind: 'type', value: secret, path: '', text: /object/ },
  ];
  for (const { kind, value, path, text } of kinds) {
    it(`names a member that is ${kind}: "${path}"`, () => {
      const result = validate(validateSessionCreate, value);
      assert.ok(!result.ok);
      const problem = result.problems.find((one) => one.path === path);
      assert.equal(problem?.kind, kind);
      assert.match(problem?.text ?? '', text);
    });
  }

  it('names the listed values of a member that has another', () => {
    const result = validate(validateReplaceCertificate, {
      CertificateString: secret,
      CertificateType: secret,
      CertificateUri: { '@odata.id': '/x' },
    });
    assert.ok(!result.ok);
    const problem = result.problems.find(({ path }) => path === '/CertificateType');
    assert.equal(problem?.kind, 'not-listed');
    assert.match(problem?.text ?? '', /^must be one of PEM/);
  });

  const hostile = [
    { UserName: { secret }, Password: [secret] },
    { UserName: secret.repeat(1000), Password: secret.repeat(1000) },
    [secret],
    secret,
    null,
  ];
  for (const [at, value] of hostile.entries()) {
    it(`quotes nothing of what it refuses (${at})`, () => {
      const result = validate(validateSessionCreate, value);
      assert.ok(!result.ok || at === 1);
      assert.ok(!JSON.stringify(result.ok ? [] : result.problems).includes(secret));
    });
  }
});
