import type { Identity } from '../../identity/identity.ts';
import { hasPrivilege, type Privilege, type RoleId } from '../../identity/roles.ts';

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

/** Any one of these is enough. */
type Alternatives = readonly Privilege[];

type Row = Readonly<Record<Method, Alternatives>>;

/** A type of resource whose every change needs the same. */
function row(read: Alternatives, change: Alternatives, others: Partial<Row> = {}): Row {
  return { GET: read, POST: change, PATCH: change, PUT: change, DELETE: change, ...others };
}

const login = ['Login'] as const;
const manager = ['ConfigureManager'] as const;
const users = ['ConfigureUsers'] as const;
const subscribers = ['ConfigureManager', 'ConfigureComponents'] as const;
const usersOrSelf = ['ConfigureUsers', 'ConfigureSelf'] as const;
const managerOrSelf = ['ConfigureManager', 'ConfigureSelf'] as const;

/**
 * Who may do what with which type of resource: the operation map of DMTF's Redfish privilege registry,
 * as far as our tree goes. An action asks for what POST to its resource asks for, HEAD for what GET does.
 * `ConfigureSelf` allows no more than what belongs to the user of the caller.
 */
const privilegeTable = {
  // Overrides of Certificate and CertificateCollection for what is subordinate to a ManagerAccount
  AccountCertificate: row(usersOrSelf, usersOrSelf),
  AccountCertificateCollection: row(usersOrSelf, usersOrSelf),
  AccountService: row(login, users),
  ActionInfo: row(login, manager),
  Certificate: row(manager, manager),
  CertificateCollection: row(manager, manager),
  CertificateLocations: row(manager, manager),
  CertificateService: row(login, manager),
  EventDestination: row(login, managerOrSelf),
  EventDestinationCollection: row(login, subscribers),
  EventService: row(login, manager),
  // Opening a stream of events creates a subscription
  EventStream: row(subscribers, subscribers),
  JsonSchemaFile: row(login, manager),
  JsonSchemaFileCollection: row(login, manager),
  Manager: row(login, manager),
  // Its property override lets users change their own passwords
  ManagerAccount: row(['ConfigureManager', 'ConfigureUsers', 'ConfigureSelf'], users, {
    PATCH: ['ConfigureUsers', 'ConfigureSelf'],
  }),
  ManagerAccountCollection: row(login, users),
  ManagerCollection: row(login, manager),
  ManagerNetworkProtocol: row(login, manager),
  MessageRegistryFile: row(login, manager),
  MessageRegistryFileCollection: row(login, manager),
  Role: row(login, manager),
  RoleCollection: row(login, manager),
  SecurityPolicy: row(login, manager),
  ServiceRoot: row(login, manager),
  Session: row(login, manager, { DELETE: managerOrSelf }),
  SessionCollection: row(login, manager, { POST: login }),
  SessionService: row(login, manager),
  Task: row(login, manager),
  TaskCollection: row(login, manager),
  TaskService: row(login, manager),
} as const satisfies Record<string, Row>;

/** A type of resource, by the name of its schema, or of what the registry tells apart from it. */
export type Entity = keyof typeof privilegeTable;

/**
 * What a role may do with resources of a type: all of them, `own` for no more than what belongs to the
 * caller, `none`.
 */
export function permission(role: RoleId, entity: Entity, method: Method): 'all' | 'own' | 'none' {
  const held = privilegeTable[entity][method].filter((one) => hasPrivilege(role, one));
  if (held.some((one) => one !== 'ConfigureSelf')) return 'all';
  return held.length > 0 ? 'own' : 'none';
}

/** Whether a client that is known has a privilege. */
export function mayUse(identity: Identity | undefined, privilege: Privilege): boolean {
  return identity !== undefined && hasPrivilege(identity.account.role, privilege);
}
