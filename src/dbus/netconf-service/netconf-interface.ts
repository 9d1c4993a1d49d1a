import type { InterfaceSpec } from '../server/interface.ts';

export const netconfName = 'xyz.openbmc_project.Certs.Netconf';
export const netconfRoot = '/xyz/openbmc_project/certs/netconf';

export const netconfInterface = {
  name: 'xyz.openbmc_project.Certs.Extension.Netconf',
  about:
    `Of the NETCONF service: ${netconfName}, ${netconfRoot}. Its callers are root and its own user.\n\n` +
    '`Address` and `Port` are where it listens. `State` is `ready`, or why every connection is closed at once: ' +
    '`no-certificate`, `self-signed`, `expired` and `not-yet-valid` of the certificate that it would show, `no-authorities` ' +
    'where no CA verifies clients, and `manager-away`. `Advice` says the same in a sentence with what to do. `Certificate` is ' +
    'the id that the service is bound to, `Authorities` are the subjects of the CAs that verify clients, and ' +
    '`MissingAuthorities` the names of endpoints in `netconf.clientAuthorities` that are not there.\n\n' +
    '`Sessions` are the id, the user, the address and the beginning of each, `Refused` the last clients that were refused: ' +
    'the last time, how often, the code of the reason, the reason, the address, and subject and fingerprint of the ' +
    'certificate. Times are in seconds since 1970.\n\n' +
    '`ClientIdentities` are the entries of the list in their order: fingerprint, map type, name of the user (empty unless ' +
    'the map type is `specified`), and whether the configuration has the entry. `DefaultIdentity` is the map type and the ' +
    'name for certificates that no entry matches, both empty for none. `IdentitiesOrigin` is `configuration`, or `run time` ' +
    'once the list was changed; `ResetClientIdentities` has that of the configuration count again. `AddClientIdentity` puts ' +
    'an entry at a position, from 1; 0 puts it at the end. `RemoveClientIdentity` takes those of the fingerprint away, with ' +
    'a map type only that one.\n\n' +
    '`Explain` is the dry run of a login with the certificates in PEM that a client would show, its own first: the code of ' +
    'the refusal and the refusal, both empty where it would be let in, the user, the role, the validated chain, and of each ' +
    'entry its position (`default` for the default), map type, what of the chain it matches, and the name that it finds or ' +
    'why it finds none. `Trace` is whether each operation is logged; `SetTrace` sets it until the next start.',
  methods: {
    AddClientIdentity: {
      in: { Fingerprint: 's', MapType: 's', Name: 's', Position: 'u' },
      out: {},
      privileged: true,
    },
    RemoveClientIdentity: { in: { Fingerprint: 's', MapType: 's' }, out: {}, privileged: true },
    SetDefaultIdentity: { in: { MapType: 's', Name: 's' }, out: {}, privileged: true },
    ResetClientIdentities: { in: {}, out: {}, privileged: true },
    Explain: {
      in: { Certificates: 's' },
      out: { Explanation: '(ssssasa(ssss))' },
      privileged: true,
      reads: true,
    },
    SetTrace: { in: { Trace: 'b' }, out: {}, privileged: true },
  },
  properties: {
    Address: 's',
    Port: 'q',
    State: 's',
    Advice: 's',
    Certificate: 's',
    Authorities: 'as',
    MissingAuthorities: 'as',
    Sessions: 'a(ussx)',
    Refused: 'a(xusssss)',
    ClientIdentities: 'a(sssb)',
    DefaultIdentity: '(ss)',
    IdentitiesOrigin: 's',
    Trace: 'b',
  },
  constant: ['Address', 'Port'],
} as const satisfies InterfaceSpec;

/** How the service stands. */
export interface NetconfStatus {
  readonly address: string;
  readonly port: number;
  readonly state: string;
  readonly advice: string;
  /** The id that the service is bound to; empty for none. */
  readonly certificate: string;
  /** Subjects of the CAs that verify clients. */
  readonly authorities: readonly string[];
  readonly missing: readonly string[];
  readonly sessions: readonly NetconfSession[];
  readonly refused: readonly RefusedNetconfClient[];
  readonly identities: readonly ListedIdentity[];
  readonly defaultIdentity: { readonly mapType: string; readonly name: string } | undefined;
  readonly origin: string;
  readonly trace: boolean;
}

export interface NetconfSession {
  readonly id: number;
  readonly user: string;
  readonly address: string;
  readonly since: Date;
}

export interface RefusedNetconfClient {
  readonly at: Date;
  readonly count: number;
  readonly reason: string;
  readonly text: string;
  readonly address: string;
  readonly subject: string;
  readonly fingerprint: string;
}

export interface ListedIdentity {
  readonly fingerprint: string;
  readonly mapType: string;
  readonly name: string;
  readonly isConfigured: boolean;
}

/** The dry run of a login. */
export interface ExplainedLogin {
  /** Code and sentence; both empty where the client would be let in. */
  readonly refusal: string;
  readonly reason: string;
  readonly user: string;
  readonly role: string;
  /** Subject and fingerprint of each certificate. */
  readonly chain: readonly string[];
  readonly entries: readonly {
    readonly entry: string;
    readonly mapType: string;
    readonly matches: string;
    readonly result: string;
  }[];
}
