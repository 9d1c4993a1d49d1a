import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { Target } from '../../src/cmp/device.ts';
import type { EnrolmentJournal } from '../../src/cmp/journal.ts';
import { BusCertificateClient } from '../../src/dbus/client/bus-certificate-client.ts';
import { BusEdgeEndpoints } from '../../src/dbus/client/bus-edge-endpoints.ts';
import {
  administerEnrolment,
  type EnrolmentAdministration,
} from '../../src/dbus/enrolment/enrolment-client.ts';
import { pemContent } from '../../src/x509/containers.ts';
import { usualLimits } from '../../src/x509/limits.ts';
import { formatPem } from '../../src/x509/pem.ts';
import { until } from '../e2e/commands.ts';
import { type CmpAuthority, cmpAuthority } from './cmp-authority.ts';
import { type CmpServer, cmpServer } from './cmp-server.ts';
import { type ManagerProcess, runManager, startManager, untilReady } from './manager-process.ts';
import { opensslAuthority } from './openssl-authority.ts';
import { startPrivateBus } from './private-bus.ts';

const secret = 'correct horse';
const log = { debug() {}, info() {}, warn() {}, error() {} };
const truststore = { type: 'authority', name: 'truststore' } as const;
const runTimeCa = { type: 'authority', name: 'cmp-lab' } as const;
/** What is enrolled is `server/bmc`, wherever that is. */
const name = 'bmc';

/** The manager and the agent as they are built, with a service that shows what is enrolled, and a CA in this process. */
export interface EnrollingDevice {
  readonly ca: CmpAuthority;
  readonly server: CmpServer;
  readonly service: ProbedService;
  /** Of the agent. */
  output(): string;
  startAgent(changes?: AgentChanges): Promise<void>;
  /** Has the agent read another configuration, which comes into force. */
  reconfigure(changes: AgentChanges): Promise<void>;
  /** Has it read one that it refuses. */
  misconfigure(changes: AgentChanges): Promise<void>;
  killAgent(signal?: NodeJS.Signals): Promise<void>;
  killManager(): Promise<void>;
  startManager(): Promise<void>;
  enrol(operation?: string): Promise<string>;
  abort(): Promise<void>;
  status(): Promise<Readonly<Record<string, unknown>>>;
  journal(): EnrolmentJournal;
  /** Serial numbers of what the manager has in the endpoint; empty without the endpoint. */
  serials(): readonly string[];
  /** Keys that wait for their certificate. */
  pendingKeys(): Promise<number>;
  stop(): Promise<void>;
}

export interface AgentChanges {
  readonly authority?: object;
  readonly certificate?: object;
}

export async function enrollingDevice(origin: Target['origin']): Promise<EnrollingDevice> {
  const tools = opensslAuthority();
  const tlsCa = tools.issueCa({ subject: '/CN=TLS of the CA' });
  const extensions = ['subjectAltName=IP:127.0.0.1'];
  const ca = cmpAuthority(secret, Date.now);
  const server = await cmpServer(ca, tools.issue({ issuer: tlsCa, extensions }));
  const bus = await startPrivateBus();
  const file = (path: string) => join(bus.directory, path);
  const isRunTime = origin === 'run-time';
  const service = await probedService(file(isRunTime ? 'service.pem' : 'bmc.pem'));
  writeFileSync(file('password'), `${secret}\n`, { mode: 0o600 });
  const ofManager = {
    endpoints: [
      { ...truststore, path: 'authority', reload: [] },
      ...(isRunTime ? [] : [{ type: 'server', name, path: 'bmc.pem', reload: [] }]),
    ],
    services: isRunTime
      ? [{ name, file: 'service.pem', reload: [], endpoint: { type: 'server', id: name } }]
      : [],
  };
  let manager: ManagerProcess | undefined = await startManager(bus, ofManager);
  let agent: ManagerProcess | undefined;
  const options = {
    ...{ busAddress: bus.address, requestTimeout: 60_000, log },
    ...{ uploadBytes: 1 << 20, content: usualLimits },
  };
  const client = new BusCertificateClient({ ...options, withRunTime: false });
  const endpoints = new BusEdgeEndpoints(options);
  await Promise.all([client.start(), endpoints.start()]);
  const target = { type: 'server', name } as const;
  const isThere = () => endpoints.isAvailable && client.isAvailable(truststore);
  await until('the manager is found', isThere);
  const authorities = [formatPem('CERTIFICATE', ca.certificate.der), tlsCa.pem];
  if (isRunTime) {
    const content = pemContent(authorities.join(''));
    const staged = await endpoints.stage([{ endpoint: runTimeCa, create: true, content }]);
    await endpoints.activate(staged);
    await endpoints.commit(staged);
  } else {
    for (const pem of authorities) await client.install(truststore, pemContent(pem));
  }

  const configure = ({ authority = {}, certificate = {} }: AgentChanges) => {
    const keyList = [{ reference: '1', passwordFile: 'password' }];
    const common = { endpointOrigin: origin };
    const profile = { name: 'lab', url: server.url, keyList, ...common };
    const policy = {
      ...{ name, endpoint: `server/${name}`, authority: 'lab', reference: '1', ...common },
      ...{ subject: 'CN=bmc', names: ['DNS:bmc.example.com'], probe: service.address },
    };
    const configuration = {
      ...{ stateDirectory: bus.directory, runtimeDirectory: file('run'), bus: bus.address },
      ...ofManager,
      enrolment: {
        authorities: [
          { ...profile, endpoint: isRunTime ? runTimeCa.name : truststore.name, ...authority },
        ],
        certificates: [{ ...policy, ...certificate }],
      },
    };
    writeFileSync(file('agent.json'), JSON.stringify(configuration));
  };
  const withAgent = async <T>(work: (one: EnrolmentAdministration) => Promise<T>) => {
    const administration = await administerEnrolment(bus.address);
    try {
      return await work(administration);
    } finally {
      administration.close();
    }
  };
  const readAgain = async (changes: AgentChanges, outcome: string) => {
    const readings = () => device.output().split(outcome).length;
    const before = readings();
    configure(changes);
    process.kill(agent?.pid ?? 0, 'SIGHUP');
    await until(outcome, () => readings() > before);
  };
  const device: EnrollingDevice = {
    ...{ ca, server, service },
    output: () => agent?.output() ?? '',
    async startAgent(changes = {}) {
      configure(changes);
      agent = await untilReady(runManager(['--config', file('agent.json')], {}, 'cmp-agent'));
    },
    reconfigure: (changes) => readAgain(changes, 'configuration read again'),
    misconfigure: (changes) => readAgain(changes, 'configuration refused'),
    async killAgent(signal = 'SIGKILL') {
      await agent?.stop(signal);
      agent = undefined;
    },
    async killManager() {
      await manager?.stop('SIGKILL');
      manager = undefined;
    },
    async startManager() {
      manager = await startManager(bus, ofManager);
      await until('the manager is found', isThere);
    },
    enrol: (operation = '') => withAgent((one) => one.enrol(name, operation, '')),
    abort: () => withAgent((one) => one.abort(name)),
    async status() {
      const all = await withAgent((one) => one.certificates());
      const members = Object.entries(all[name] ?? {}).map(([key, { value }]) => [key, value]);
      return Object.fromEntries(members);
    },
    journal: () => JSON.parse(readFileSync(file(`enrolment/${name}.json`), 'utf8')),
    serials() {
      const found = isRunTime ? endpoints.find(target)?.certificates : client.list(target);
      return (found ?? []).map(({ certificate }) => certificate.serialNumber);
    },
    async pendingKeys() {
      const pending = isRunTime ? endpoints.outstanding(target) : client.outstanding(target);
      return (await pending).length;
    },
    async stop() {
      await device.killAgent();
      await manager?.stop();
      client.close();
      endpoints.close();
      service.close();
      server.close();
      await bus.stop();
      tools.remove();
    },
  };
  return device;
}

export interface ProbedService {
  readonly address: string;
  /** Leaves everybody without a handshake up to `release`. @returns what resolves when the first one is there */
  hold(): Promise<void>;
  release(): void;
  close(): void;
}

/** A service that shows at each handshake what is in its file then. */
async function probedService(path: string): Promise<ProbedService> {
  let reached: (() => void) | undefined;
  const sockets = new Set<Socket>();
  const shake = (socket: Socket) => {
    try {
      const pem = readFileSync(path, 'utf8');
      const secureContext = createSecureContext({ key: pem, cert: pem });
      new TLSSocket(socket, { isServer: true, secureContext }).on('error', () => undefined);
    } catch {
      // It has no file yet
      socket.destroy();
    }
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    if (reached) reached();
    else shake(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const release = () => {
    reached = undefined;
    for (const socket of sockets) socket.destroy();
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    release,
    hold: () =>
      new Promise((resolve) => {
        reached = resolve;
      }),
    close() {
      release();
      server.close();
    },
  };
}
