import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CertError } from '../../../src/core/cert-error.ts';
import * as certs from '../../../src/dbus/certs/certs-interfaces.ts';
import * as extensions from '../../../src/dbus/certs/extension-interfaces.ts';
import type { InterfaceSpec, TypedValue } from '../../../src/dbus/server/interface.ts';
import { type Bus, connectBus } from '../../../src/dbus/transport/bus.ts';
import { type ManagerProcess, names, paths, startManager } from '../../fakes/manager-process.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { campaign } from './campaign.ts';
import { type Dice, makeDice } from './dice.ts';
import { byteMutators } from './mutation.ts';
import { makeSamples } from './samples.ts';

const isSpec = (value: unknown): value is InterfaceSpec =>
  typeof value === 'object' && value !== null && 'methods' in value;
const properties = 'org.freedesktop.DBus.Properties';
const methods = [
  ...[...Object.values<unknown>(certs), ...Object.values<unknown>(extensions)]
    .filter(isSpec)
    .flatMap((spec) =>
      Object.entries(spec.methods).map(([member, { in: given }]) => ({
        ...{ interface: spec.name, member, signatures: Object.values<string>(given) },
      })),
    ),
  { interface: properties, member: 'Get', signatures: ['s', 's'] },
  { interface: properties, member: 'GetAll', signatures: ['s'] },
  { interface: properties, member: 'Set', signatures: ['s', 's', 'v'] },
  { interface: 'org.freedesktop.DBus.ObjectManager', member: 'GetManagedObjects', signatures: [] },
  { interface: 'org.freedesktop.DBus.Introspectable', member: 'Introspect', signatures: [] },
];
const strange = [
  'h',
  'd',
  'a{sv}',
  'aas',
  '(sv)',
  'av',
  'a(ssx)',
  'o',
  'g',
  'b',
  'y',
  'n',
  'q',
  'u',
];
const texts = [
  ...['', '/etc/hostname', '/dev/zero', '/proc/self/mem', '/', '.', '/nothing', 'x'.repeat(10_000)],
  ...[
    'RSA',
    'EC',
    'P-256',
    'PEM',
    'DER',
    'PKCS7',
    'PKCS12',
    '\u{10ffff}',
    'ü',
    '\n',
    '../..',
    '1',
    'a.b',
  ],
];
const { certificates, pairs, pkcs7, pkcs12 } = makeSamples();
const contents = [...certificates, ...pairs, ...pkcs7, ...pkcs12, Buffer.alloc(0)];

/** A value of a type, by chance. */
function someValue(signature: string, dice: Dice): unknown {
  const some = (type: string) => Array.from({ length: dice.below(4) }, () => someValue(type, dice));
  switch (signature) {
    case 's':
      return dice.pick([...texts, ...certs.certificateInterface.name.split('.')]);
    case 'ay':
      return dice.once(4) ? dice.bytes(dice.below(100)) : dice.pick(contents);
    case 'as':
      return some('s');
    case 'aas':
      return some('as');
    case 'x':
      return dice.pick([0n, -1n, 2048n, 2n ** 63n - 1n, -(2n ** 63n)]);
    case 't':
      return dice.pick([0n, 2n ** 64n - 1n]);
    case 'v':
      return typed(dice);
    case 'av':
      return some('v');
    case 'a{sv}':
      return { __proto__x: typed(dice), toString: typed(dice) };
    case '(sv)':
      return ['x', typed(dice)];
    case 'a(ssx)':
      return [['x', 'y', 1n]];
    case 'o':
      return '/a/b';
    case 'g':
      return 'a{sv}';
    case 'b':
      return true;
    case 'd':
      return Number.NaN;
    default:
      return dice.below(100);
  }
}

function typed(dice: Dice): TypedValue {
  const signature = dice.pick(['s', 'as', 'x', 'u', 'ay', 'b']);
  return { signature, value: someValue(signature, dice) };
}

describe('calls over a real bus', () => {
  let bus: PrivateBus;
  let manager: ManagerProcess;
  let caller: Bus;

  before(async () => {
    bus = await startPrivateBus();
    manager = await startManager({ address: bus.address, directory: bus.directory });
    caller = await connectBus(bus.address);
  });

  after(async () => {
    caller.close();
    await manager.stop();
    await bus.stop();
  });

  it('with any arguments are answered, none of them with a fault, by a manager that goes on', async () => {
    await campaign({
      name: 'bus call',
      corpus: [Buffer.from('one'), Buffer.from('another')],
      mutators: byteMutators,
      isRefusal: (error) => error instanceof CertError && !/^internal/.test(error.message),
      async attempt(input) {
        const dice = makeDice(input.toString('hex'));
        const kind = dice.pick(['server', 'client', 'authority'] as const);
        const { member, signatures, ...method } = dice.pick(methods);
        const types = dice.once(5) ? [...signatures, dice.pick(strange)] : [...signatures];
        if (dice.once(4) && types.length > 0) types[dice.below(types.length)] = dice.pick(strange);
        const isOdd = dice.once(10);
        const signature = types.filter((type) => type !== 'h');
        const answer = await caller.call({
          destination: names[kind],
          path: dice.pick([paths[kind], `${paths[kind]}/1`, `${paths[kind]}/99`, '/']),
          interface: isOdd ? dice.pick(methods).interface : method.interface,
          member,
          signature: signature.join(''),
          body: signature.map((type) => someValue(type, dice)),
          timeout: 300_000,
        });
        return `${member} ${answer.length}`;
      },
    });
    const { pid } = manager;
    process.kill(pid, 0);
    assert.doesNotMatch(manager.output(), /unexpected error|method failed|\bat .+\.[jt]s:\d+/);
  });
});
