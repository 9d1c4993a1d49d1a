import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { CertError } from '../../../src/core/cert-error.ts';
import { connectBus } from '../../../src/dbus/transport/bus.ts';
import { type ManagerProcess, names, paths, startManager } from '../../fakes/manager-process.ts';
import { csrParameters } from '../../fakes/manager-world.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { wireMessage } from '../../fakes/raw-bus.ts';
import { extent, figure } from '../extent.ts';

const area = 'hostile-clients';
const unit = readFileSync('systemd/bmc-certificate-manager.service', 'utf8');
const maxMegabytes = Number(/^MemoryMax=(\d+)M$/m.exec(unit)?.[1]);
const unitFlags = /^ExecStart=\/usr\/bin\/node (--.*?) \/usr/m.exec(unit)?.[1] ?? '';

/** Connections at a time; the bus takes 256 of one user. */
const atATime = 100;
/** How much more memory the last connections may take than the first ones did, in MB. */
const maxGrowth = 80;

const extension = 'xyz.openbmc_project.Certs.Extension';
const file = Buffer.alloc(300_000, 'x');
const many = { quick: 500, long: 20_000 };
const kinds = [
  {
    what: 'a call that needs a right',
    call: { interface: `${extension}.Reload`, member: 'Reload' },
    connections: many,
  },
  {
    what: 'a call with a large answer',
    call: { interface: 'org.freedesktop.DBus.ObjectManager', member: 'GetManagedObjects' },
    connections: many,
  },
  {
    what: 'GenerateCSR',
    call: {
      interface: 'xyz.openbmc_project.Certs.CSR.Create',
      member: 'GenerateCSR',
      signature: 'asssssssssxssassssss',
      body: Object.values(csrParameters()),
    },
    connections: many,
  },
  {
    what: 'a file of 300 kB',
    call: {
      interface: `${extension}.Upload`,
      member: 'Install',
      signature: 'ayss',
      body: [file, 'PEM', ''],
    },
    connections: { quick: 1200, long: 20_000 },
  },
];

for (const [flags, options] of [
  ['the flags of the unit', unitFlags],
  ['no flags', ''],
] as const) {
  if (options === '' && extent({ quick: true, long: false })) continue;
  describe(`a manager with ${flags}, called by connections that leave`, () => {
    for (const { what, call, connections } of kinds) {
      it(`stays below its MemoryMax, and grows no more, while each makes ${what}`, async () => {
        const count = extent(connections);
        const { first, last, peak } = await churn(options, call, count);
        figure(area, `bus, ${flags}: connections that leave, each with ${what}`, count);
        figure(area, `bus, ${flags}: most memory of the manager meanwhile, MB`, peak);
        assert.ok(peak < maxMegabytes, `${peak} MB`);
        assert.ok(last - first < maxGrowth, `${first} MB grew to ${last} MB`);
      });
    }
  });
}

type Call = Omit<Parameters<typeof wireMessage>[0], 'type' | 'serial'>;

/** @returns MB after the first tenth, after all of them when the manager has caught up, and at most */
async function churn(options: string, call: Call, connections: number) {
  const bus = await startPrivateBus();
  let manager: ManagerProcess | undefined;
  try {
    manager = await startManager(bus, {}, { NODE_OPTIONS: options });
    const { pid } = manager;
    const target = { path: paths.server, destination: names.server };
    const message = wireMessage({ ...target, ...call, type: 1, serial: 2 });
    await callAndLeave(bus, message, connections / 10);
    const first = megabytes(pid, 'VmRSS');
    await callAndLeave(bus, message, connections - connections / 10);
    // The calls of a connection keep their order, and all of these were sent before
    const friend = await connectBus(bus.address);
    const ping = { interface: 'org.freedesktop.DBus.Peer', member: 'Ping', timeout: 600_000 };
    await takenByBus(() => friend.call({ ...target, ...ping }));
    friend.close();
    assert.doesNotMatch(manager.output(), /method failed/);
    return { first, last: megabytes(pid, 'VmRSS'), peak: megabytes(pid, 'VmHWM') };
  } finally {
    await manager?.stop();
    await bus.stop();
  }
}

/** The bus refuses calls while too much waits for the manager already. */
async function takenByBus(call: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await call();
      return;
    } catch (error) {
      if (!(error instanceof CertError && error.code === 'busy')) throw error;
      await delay(100);
    }
  }
}

async function callAndLeave(bus: PrivateBus, message: Buffer, times: number): Promise<void> {
  let left = times;
  const member = async () => {
    while (left > 0) {
      left -= 1;
      await callOnce(bus, message);
    }
  };
  await Promise.all(Array.from({ length: atATime }, member));
}

/** Says all that a caller has to say before it hears the first answer, and is gone. */
function callOnce({ address }: PrivateBus, message: Buffer): Promise<void> {
  const driver = { path: '/org/freedesktop/DBus', destination: 'org.freedesktop.DBus' };
  const hello = { ...driver, interface: 'org.freedesktop.DBus', member: 'Hello' };
  const id = Buffer.from(String(process.getuid?.() ?? 0)).toString('hex');
  const greeting = Buffer.from(`\0AUTH EXTERNAL ${id}\r\nBEGIN\r\n`);
  return new Promise((resolve) => {
    const socket = connect(address.replace('unix:path=', ''));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
    socket.resume();
    socket.end(Buffer.concat([greeting, wireMessage({ ...hello, type: 1, serial: 1 }), message]));
  });
}

/** From proc(5). */
function megabytes(pid: number, name: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024);
}
