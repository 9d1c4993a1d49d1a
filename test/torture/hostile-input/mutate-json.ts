import type { Dice } from './dice.ts';
import type { Mutator } from './mutation.ts';

/** Values that no schema of ours wants, or only in some places. */
const strangers: readonly ((dice: Dice) => unknown)[] = [
  () => null,
  () => true,
  () => 0,
  () => -1,
  () => 1.5,
  () => 1e308,
  () => Number.MAX_SAFE_INTEGER,
  () => '',
  () => '\0',
  () => '\ud800',
  () => 'x'.repeat(5000),
  () => '../../etc/passwd',
  () => '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates/1',
  () => '%2e%2e%2f',
  () => '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
  () => '1970-01-01T00:00:00Z',
  () => [],
  () => ({}),
  () => [[]],
  (dice) => Array.from({ length: dice.below(300) }, () => 'x'),
  () => ({ '@odata.id': '/redfish/v1' }),
  () => ({ '@odata.id': 7 }),
  (dice) => nest(dice.below(200)),
];

/** Names that mean something to JavaScript, JSON pointers or Redfish. */
const names = [
  ...['__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'then', 'length', ''],
  ...['@odata.id', '@odata.type', '@odata.etag', '@Redfish.OperationApplyTime', 'Id', 'Members'],
  ...['a/b', 'a~b', '~0', '~1', '\0', '\ud800', 'CertificateString', 'Password', 'Oem'],
];

/** Changes the shape of JSON: members, elements and values. What is none is changed as text. */
export const jsonMutators: readonly Mutator[] = [
  ofValue((value, dice) => alterSomewhere(value, dice, () => dice.pick(strangers)(dice))),
  ofValue((value, dice) => alterSomewhere(value, dice, (one) => withMember(one, dice))),
  ofValue((value, dice) => alterSomewhere(value, dice, (one) => withoutMember(one, dice))),
  ofValue((value, dice) => alterSomewhere(value, dice, (one) => [one])),
  ofValue((value, dice) => alterSomewhere(value, dice, (one) => ({ Value: one }))),
  ofValue((value, dice) => alterSomewhere(value, dice, (one) => JSON.stringify(one))),
  ofValue((value, dice, other) => alterSomewhere(value, dice, () => other)),
  // Twice the same member: the last one counts, whatever the first one was
  (input) => Buffer.from(input.toString().replace(/^\s*\{/, '{"Id":1,"Id":{},')),
  (input) => Buffer.from(`${input}${input}`),
  (input, dice) => Buffer.from(`${'['.repeat(dice.below(5000))}${input}`),
  (input) => Buffer.from(input.toString().replace(/"/g, "'")),
  (input, dice) => Buffer.from(input.toString().replace(/\d+/, '9'.repeat(dice.below(400)))),
];

type Change = (value: unknown, dice: Dice, other: unknown) => unknown;

function ofValue(change: Change): Mutator {
  return (input, dice, other) => {
    const value = parsed(input);
    if (value === undefined) return input.subarray(0, dice.below(input.length + 1));
    return Buffer.from(JSON.stringify(change(value, dice, parsed(other))) ?? '');
  };
}

function parsed(input: Buffer): unknown {
  try {
    return JSON.parse(input.toString());
  } catch {
    return undefined;
  }
}

/** Goes down into the value by chance, and changes what is there. */
function alterSomewhere(value: unknown, dice: Dice, change: (one: unknown) => unknown): unknown {
  if (typeof value !== 'object' || value === null || dice.once(4)) return change(value);
  if (Array.isArray(value)) {
    if (value.length === 0) return change(value);
    const chosen = dice.below(value.length);
    return value.map((one, n) => (n === chosen ? alterSomewhere(one, dice, change) : one));
  }
  const entries = Object.entries(value);
  if (entries.length === 0) return change(value);
  const chosen = dice.below(entries.length);
  return Object.fromEntries(
    entries.map(([name, one], n) => [name, n === chosen ? alterSomewhere(one, dice, change) : one]),
  );
}

function withMember(value: unknown, dice: Dice): unknown {
  const stranger = dice.pick(strangers)(dice);
  if (Array.isArray(value)) return [...value, stranger];
  if (typeof value !== 'object' || value === null) return stranger;
  const entries = Object.entries(value);
  const name = dice.once(3) ? (dice.pick([...entries, ['', 0]])[0] ?? '') : dice.pick(names);
  return Object.fromEntries([...entries, [dice.once(2) ? name : `${name}x`, stranger]]);
}

function withoutMember(value: unknown, dice: Dice): unknown {
  if (Array.isArray(value)) return value.slice(0, dice.below(value.length + 1));
  if (typeof value !== 'object' || value === null) return null;
  const entries = Object.entries(value);
  return Object.fromEntries(entries.toSpliced(dice.below(entries.length || 1), 1));
}

function nest(levels: number): unknown {
  let value: unknown = 'deep';
  for (let level = 0; level < levels; level += 1) value = level % 2 ? [value] : { a: value };
  return value;
}
