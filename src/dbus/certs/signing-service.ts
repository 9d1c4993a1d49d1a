import type { Audit } from '../../core/audit.ts';
import type { Log } from '../../core/log.ts';
import {
  type SigningEntry,
  type SigningQueue,
  type SigningState,
  signingStates,
} from '../../manager/csr/signing-queue.ts';
import { authorizeCaller, type CallerPolicy } from '../server/caller-policy.ts';
import { DBusProtocolError } from '../server/error-names.ts';
import { type InterfaceSpec, type ServedInterface, serve } from '../server/interface.ts';
import { ObjectServer, reportTo } from '../server/object-server.ts';
import { connectBus } from '../transport/bus.ts';
import type { Callers } from '../transport/bus-driver.ts';
import { requestName } from '../transport/bus-name.ts';
import { auditCalls } from './audit-calls.ts';
import { deleteAllInterface, deleteInterface } from './certs-interfaces.ts';

/** The names of IBM's bmc-vmi-ca-manager. */
const busName = 'xyz.openbmc_project.Certs.ca.authority.Manager';
const root = '/xyz/openbmc_project/certs/ca';

const authorityInterface = {
  name: 'xyz.openbmc_project.Certs.Authority',
  methods: { SignCSR: { in: { CSR: 's' }, out: { Entry: 'o' }, privileged: true } },
  properties: {},
} as const satisfies InterfaceSpec;

const signingRequestInterface = {
  name: 'xyz.openbmc_project.PLDM.Provider.Certs.Authority.CSR',
  methods: {},
  properties: { CSR: 's' },
  constant: ['CSR'],
} as const satisfies InterfaceSpec;

const entryInterface = {
  name: 'xyz.openbmc_project.Certs.Entry',
  methods: {},
  properties: { ClientCertificate: 's', Status: 's' },
  writable: ['ClientCertificate', 'Status'],
} as const satisfies InterfaceSpec;

const statePrefix = 'xyz.openbmc_project.Certs.Entry.State.';

export interface SigningServiceOptions {
  readonly queue: SigningQueue;
  readonly busAddress: string;
  readonly callers: Callers;
  readonly access: () => CallerPolicy;
  readonly log: Log;
  readonly audit: Audit;
  readonly onLost: () => void;
}

/** Serves requests that the host signs. @returns how to stop */
export async function serveSigning(options: SigningServiceOptions): Promise<() => void> {
  const { queue, callers, access, log, audit, onLost } = options;
  const bus = await connectBus(options.busAddress);
  bus.onLost(onLost);
  const server = new ObjectServer({
    bus,
    root,
    authorize: (sender) => authorizeCaller(callers, access())(sender),
    follow: auditCalls(audit, callers),
    report: reportTo(log),
  });
  server.add(root, rootObject(queue));
  queue.subscribe((event) => {
    const path = pathOf(event.entry);
    if (event.kind === 'changed') {
      const property = event.what === 'state' ? 'Status' : 'ClientCertificate';
      server.announce(path, entryInterface.name, [property]);
    } else if (event.kind === 'added') server.add(path, entryObject(queue, event.entry));
    else server.remove(path);
  });
  await requestName(bus, busName);
  return () => bus.close();
}

function rootObject(queue: SigningQueue): readonly ServedInterface[] {
  return [
    serve(authorityInterface, {
      methods: { SignCSR: ({ CSR }) => pathOf(queue.submit(CSR)) },
    }),
    serve(deleteAllInterface, {
      methods: {
        DeleteAll: () => queue.deleteAll(),
      },
    }),
  ];
}

function entryObject(queue: SigningQueue, { id, request }: SigningEntry): ServedInterface[] {
  return [
    serve(signingRequestInterface, { properties: { CSR: () => request } }),
    serve(entryInterface, {
      properties: {
        ClientCertificate: () => queue.get(id).certificate,
        Status: () => `${statePrefix}${queue.get(id).state}`,
      },
      setters: {
        ClientCertificate: (value) => queue.setCertificate(id, value),
        Status: (value) => queue.setState(id, parseState(value)),
      },
    }),
    serve(deleteInterface, {
      methods: {
        Delete: () => queue.delete(id),
      },
    }),
  ];
}

function parseState(text: string): SigningState {
  const state = signingStates.find((one) => text === `${statePrefix}${one}`);
  if (state) return state;
  throw new DBusProtocolError('InvalidArgs', 'Status is no value of its enumeration.');
}

function pathOf({ id }: SigningEntry): string {
  return `${root}/entry/${id}`;
}
