import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Expression, parseFilter } from '../../../src/redfish/query/filter-expression.ts';
import { matchesFilter } from '../../../src/redfish/query/filter-match.ts';
import { comparisons, type Operand } from '../../../src/redfish/query/filter-tokens.ts';
import { printFilter } from './print-filter.ts';

const name = fc
  .stringMatching(/^[A-Z][A-Za-z0-9_]{0,8}$/)
  .filter((text) => !['and', 'or', 'not', 'true', 'false', 'null'].includes(text));
const operand: fc.Arbitrary<Operand> = fc.oneof(
  fc.record(
    {
      kind: fc.constant('member' as const),
      path: fc.array(name, { minLength: 1, maxLength: 3 }),
    },
    { noNullPrototype: true },
  ),
  fc.record(
    {
      kind: fc.constant('literal' as const),
      value: fc.oneof(
        fc.string(),
        fc.integer(),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
        fc.boolean(),
        fc.constant(null),
      ),
    },
    { noNullPrototype: true },
  ),
);
const { expression } = fc.letrec<{ expression: Expression }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 4 },
    fc.record(
      {
        kind: fc.constant('compare' as const),
        operator: fc.constantFrom(...comparisons),
        left: operand,
        right: operand,
      },
      { noNullPrototype: true },
    ),
    fc.record(
      {
        kind: fc.constantFrom('and' as const, 'or' as const),
        left: tie('expression'),
        right: tie('expression'),
      },
      { noNullPrototype: true },
    ),
    fc.record(
      { kind: fc.constant('not' as const), of: tie('expression') },
      { noNullPrototype: true },
    ),
  ),
}));

describe('the language of $filter', () => {
  it('reads back whatever it prints', () => {
    fc.assert(
      fc.property(expression, (one) => {
        assert.deepEqual(parseFilter(printFilter(one), 100), one);
      }),
    );
  });

  it('never throws at whatever text', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[()A-Za-z0-9' eqandornot./-]{0,60}$/));
    fc.assert(
      fc.property(text, (one) => {
        parseFilter(one, 5);
      }),
    );
  });

  const wrong = [
    '',
    'Name',
    'Name eq',
    'eq eq eq',
    "Name eq 'open",
    'Name is 1',
    '(Name eq 1',
    'Name eq 1)',
    'Name eq 1 and',
    'not Name eq 1',
    'Name eq 1 Name eq 2',
    'Name eq 1; drop',
    "Name eq 'a'b",
    'Name eq 1e',
    '((((Name eq 1))))',
    "Name eq /a'b'",
  ];
  for (const text of wrong) {
    it(`refuses ${text === '' ? 'nothing' : text}`, () => {
      assert.equal(parseFilter(text, 3), undefined);
    });
  }

  const resource = {
    Id: '7',
    Count: 3,
    Uri: '/redfish/v1/#a',
    On: true,
    Nothing: null,
    Subject: { CommonName: "o'brien" },
    ValidNotAfter: '2026-05-01T00:00:00+00:00',
  };
  const cases: readonly [string, boolean][] = [
    ["Id eq '7'", true],
    ['Id eq 7', false],
    ['Id ne 7', true],
    ['Count gt 2', true],
    ['Count ge 3', true],
    ['Count lt 3', false],
    ['Count le 3', true],
    ['On eq true', true],
    ['Nothing eq null', true],
    ['Absent eq null', true],
    ['constructor eq null', true],
    ["Subject/CommonName eq 'o''brien'", true],
    ['Subject/CommonName/Absent eq null', true],
    ['ValidNotAfter lt 2026-05-01T02:00:00+01:00', true],
    ['ValidNotAfter eq 2026-05-01T00:00:00Z', true],
    ['ValidNotAfter gt 2027-01-01', false],
    ['Count gt 9 and Count gt 9 or On eq true', true],
    ['On eq true or Count gt 9 and Count gt 9', true],
    ['(On eq true or Count gt 2) and Count gt 9', false],
    ['not (On eq true)', false],
    ["Count gt '2'", false],
    ['Uri eq /redfish/v1/#a', true],
  ];
  for (const [text, expected] of cases) {
    it(`finds ${text} ${expected ? 'true' : 'false'}`, () => {
      const parsed = parseFilter(text, 3);
      assert.ok(parsed);
      assert.equal(matchesFilter(parsed, resource), expected);
    });
  }
});
