import assert from 'node:assert/strict';
import { CertError, type CertErrorCode } from '../../src/core/cert-error.ts';

/** A validator for assert.throws and assert.rejects: the code counts, and words where they matter. */
export function refusal(code: CertErrorCode, words: RegExp = /./): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof CertError, `not a CertError: ${String(error)}`);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, words);
    return true;
  };
}
