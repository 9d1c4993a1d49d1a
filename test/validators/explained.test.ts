import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { unexplained } from './explained.ts';
import { assertionFindings, operationFindings, propertyFindings, readCounts } from './reports.ts';

const severity = {
  result: 'WARN',
  what: 'Messages/Success/Severity',
  says: 'The property is deprecated.',
};

describe('what the documentation explains', () => {
  it('covers a finding that a row names', () => {
    assert.deepEqual(unexplained('RSV', [severity]), []);
  });

  const others = [
    ['another result', { ...severity, result: 'FAIL' }],
    ['another property', { ...severity, what: 'Messages/Success/Message' }],
    ['a longer path', { ...severity, what: 'Messages/Success/Oem/Severity' }],
    ['another reason', { ...severity, says: 'The value is empty.' }],
  ] as const;
  for (const [what, finding] of others) {
    it(`does not cover ${what}`, () => {
      const line = `${finding.result} ${finding.what}: ${finding.says}`;
      assert.deepEqual(unexplained('RSV', [finding]), [line]);
    });
  }

  it('does not cover the same finding of another tool', () => {
    assert.equal(unexplained('RPV', [severity]).length, 1);
  });
});

describe('the reports of the validators', () => {
  it('give up the counts of the last table', () => {
    const output = '|  PASS  | ... |\n+---+\n|     2      |      0       |   3   |   21  |\n';
    assert.deepEqual(readCounts(output), { pass: 2, warn: 0, fail: 3, notTested: 21 });
  });

  it('give up failures and warnings of properties, and nothing that passed', () => {
    const row = (name: string, message: string, result: string) =>
      `<tr><td>${name}</td><td><div>x</div>${message}</td><td class="res-${result}">R</td></tr>`;
    const html = [
      row('Name', '', 'pass'),
      row('Oem', '<div class="msg-warn">a &#x27;b&#x27;</div>', 'warn'),
      row('Id', '<div class="msg-fail">c</div>', 'fail'),
    ].join('');
    assert.deepEqual(propertyFindings(html), [
      { what: 'Oem', result: 'WARN', says: "a 'b'" },
      { what: 'Id', result: 'FAIL', says: 'c' },
    ]);
  });

  it('give up every assertion that did not pass', () => {
    const tsv =
      'Assertion\tMethod\tStatus code\tURI\tResult\tMessage\tRequirement\n' +
      'A\tGET\t200\t/a\tPASS\tfine\tx\nB\t\t\t\tNOT_TESTED\tno way\tx\nC\tPUT\t500\t/c\tFAIL\tbad\tx\n';
    assert.deepEqual(assertionFindings(tsv), [
      { what: 'B', result: 'NOT_TESTED', says: 'no way' },
      { what: 'C', result: 'FAIL', says: 'PUT /c bad' },
    ]);
  });

  it('give up the operations that failed', () => {
    const html =
      '<tr><td>log in</td><td><span class="badge badge-fail">FAIL</span></td><td>401</td></tr>';
    assert.deepEqual(operationFindings(html), [{ what: 'log in', result: 'FAIL', says: '401' }]);
  });
});
