import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { validateStoredNetconfNames } from '../../schemas/generated/validators.js';
import type { Identity } from '../../src/identity/identity.ts';
import type { RoleId } from '../../src/identity/roles.ts';
import type { CertificateClient } from '../../src/manager/certificate-client.ts';
import type { EdgeEndpoints } from '../../src/manager/edge-endpoints.ts';
import type { CertDataFormat } from '../../src/netconf/datastore/certificate-data.ts';
import { noNames } from '../../src/netconf/datastore/names.ts';
import { openDatastore } from '../../src/netconf/operations/datastore.ts';
import type { Datastore, DatastoreOptions } from '../../src/netconf/operations/operations.ts';
import { nameOf } from '../../src/netconf/rpc/operation.ts';
import { type ErrorTag, RpcError } from '../../src/netconf/rpc/rpc-error.ts';
import { type Session, Sessions } from '../../src/netconf/session/sessions.ts';
import { readXml } from '../../src/netconf/xml/read.ts';
import { writeXml } from '../../src/netconf/xml/write.ts';
import { readState, StateFile } from '../../src/storage/state-file.ts';
import type { Certificate } from '../../src/x509/certificate.ts';
import { usualLimits } from '../../src/x509/limits.ts';
import { MemoryClient } from '../fakes/memory-client.ts';
import { MemoryEndpoints } from '../fakes/memory-endpoints.ts';
import { recordedAudit } from '../fakes/recorded-audit.ts';

export const baseNamespace = 'urn:ietf:params:xml:ns:netconf:base:1.0';

export const messageLimits = {
  ...{ bytes: 1 << 20, elements: 10_000, depth: 64, attributes: 64, nameLength: 256 },
};

/** A client of the datastore. */
export interface Client {
  readonly session: Session;
  role: RoleId;
  /** Sends one operation as text; the namespace is the default one. @returns the text of what the reply has inside */
  rpc(operation: string): Promise<string>;
  /** The error that an operation is answered with. */
  refused(operation: string): Promise<RpcError>;
  /** Sends the content of `<config>` for the running configuration. */
  edit(config: string, parameters?: string): Promise<string>;
  refusedEdit(config: string, parameters?: string): Promise<RpcError>;
  /** What get-config answers, by a filter if one is given. */
  config(filter?: string): Promise<string>;
  end(): void;
}

export interface DatastoreWorld<E extends EdgeEndpoints, C extends CertificateClient> {
  readonly datastore: Datastore;
  readonly endpoints: E;
  readonly certificates: C;
  readonly sessions: Sessions;
  readonly auditLines: readonly string[];
  readonly logLines: readonly string[];
  /** Each reply that was no error, with the request. */
  readonly replies: readonly { readonly rpc: string; readonly reply: string }[];
  format: CertDataFormat;
  /** What the lockout guard answers, given the CAs that an edit leaves. */
  letsIn: (changed: ReadonlyMap<string, readonly Certificate[]>) => boolean;
  client(role?: RoleId): Client;
  /** Begins anew with the names that are on the disk. */
  restart(): void;
  close(): void;
}

/** A datastore over a manager in memory. */
export function memoryDatastore(): DatastoreWorld<MemoryEndpoints, MemoryClient> {
  return startDatastore(new MemoryEndpoints('/nonexistent/none.pem'), new MemoryClient());
}

export function startDatastore<E extends EdgeEndpoints, C extends CertificateClient>(
  endpoints: E,
  certificates: C,
): DatastoreWorld<E, C> {
  const directory = mkdtempSync(join(tmpdir(), 'netconf-datastore-'));
  const path = join(directory, 'names.json');
  const { audit, auditLines } = recordedAudit();
  const logLines: string[] = [];
  const note = (message: string, fields: object = {}) =>
    void logLines.push(`${message} ${JSON.stringify(fields)}`);
  const log = { debug: note, info: note, warn: note, error: note };
  const sessions = new Sessions({ now: () => new Date(), log });
  const replies: { rpc: string; reply: string }[] = [];
  const open = () => {
    const form = { what: 'names', validator: validateStoredNetconfNames };
    const options: DatastoreOptions = {
      ...{ endpoints, certificates, sessions, audit, log },
      names: new StateFile(path, readState(path, form) ?? noNames),
      lockout: { letsIn: (_identity, changed) => world.letsIn(changed) },
      settings: () => ({ certDataFormat: world.format, content: usualLimits }),
      now: () => new Date(),
    };
    return openDatastore(options);
  };
  const state = { datastore: undefined as Datastore | undefined };
  const current = () => (state.datastore ??= open());
  const world: DatastoreWorld<E, C> = {
    get datastore() {
      return current();
    },
    ...{ endpoints, certificates, sessions, auditLines, logLines, replies, format: 'cms' },
    letsIn: () => true,
    client(role = 'Administrator') {
      const session = sessions.open({ userName: `the ${role}`, address: '192.0.2.1' });
      const rpc = async (operation: string) => {
        const text = `<rpc xmlns="${baseNamespace}" message-id="1">${operation}</rpc>`;
        const [request] = readXml(Buffer.from(text), messageLimits).children;
        if (!request) throw new TypeError('an rpc has an operation');
        const found = current().operations.get(nameOf(request));
        if (!found) throw new RpcError('operation-not-supported', 'there is no such operation');
        const answer = await found(request, {
          ...{ sessionId: session.id, userName: session.userName, address: session.address },
          signal: session.signal,
          current: async () => identityOf(session.userName, client.role),
        });
        const inside = answer.map(writeXml).join('');
        const reply = `<rpc-reply xmlns="${baseNamespace}" message-id="1">${inside || '<ok/>'}</rpc-reply>`;
        replies.push({ rpc: text, reply });
        return inside;
      };
      const refused = async (operation: string) => {
        try {
          await rpc(operation);
        } catch (error) {
          if (error instanceof RpcError) return error;
          throw error;
        }
        throw new Error(`nothing refused ${operation}`);
      };
      const client: Client = {
        ...{ session, role, rpc, refused },
        edit: (config, parameters = '') => rpc(editConfig(config, parameters)),
        refusedEdit: (config, parameters = '') => refused(editConfig(config, parameters)),
        config: (filter) => {
          const chosen = filter === undefined ? '' : `<filter>${filter}</filter>`;
          return rpc(`<get-config><source><running/></source>${chosen}</get-config>`);
        },
        end: () => sessions.over(session, 'closed'),
      };
      return client;
    },
    restart() {
      current().close();
      state.datastore = open();
    },
    close() {
      current().close();
      rmSync(directory, { recursive: true });
    },
  };
  return world;
}

function editConfig(config: string, parameters: string): string {
  const target = '<target><running/></target>';
  return `<edit-config>${target}${parameters}<config>${config}</config></edit-config>`;
}

export function identityOf(userName: string, role: RoleId): Identity {
  const account = { userName, role, enabled: true, locked: false, accountTypes: [] };
  return { account: { ...account, passwordChangeRequired: false, passwordStamp: '1' } };
}

/** What an error says, for a comparison. */
export function said({ tag, path }: RpcError): { tag: ErrorTag; path: string | undefined } {
  return { tag, path: path?.expression };
}
