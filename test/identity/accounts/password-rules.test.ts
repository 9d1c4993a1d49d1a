import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { passwordFault } from '../../../src/identity/accounts/password-rules.ts';

describe('a new password', () => {
  const rules = { minLength: 8, maxLength: 12 };
  const verdicts: readonly (readonly [string, RegExp | undefined])[] = [
    ['abcdefgh', undefined],
    ['\u{1f600}abcdefg', undefined],
    ['abcdefg', /at least 8/],
    ['abcdefghijklm', /at most 12/],
    ['\ud800abcdefgh', /whole characters/],
    ['abcdefgh\udc00', /whole characters/],
    ['abcd\udc00\ud800efgh', /whole characters/],
    ['abcd\u0085efgh', /control/],
    ['the-user', /name of its user/],
    ['aaaaaaaa', /guess/],
  ];
  for (const [password, fault] of verdicts) {
    it(`is ${fault ? 'refused' : 'taken'} when it is ${JSON.stringify(password)}`, () => {
      const found = passwordFault(password, 'the-user', rules);
      if (fault) assert.match(found ?? '', fault);
      else assert.equal(found, undefined);
    });
  }
});
