/** Lists of values that parameters and properties have. */
export const oemEnumerations = {
  CertificateType: ['PEM', 'PEMchain', 'PKCS7', 'PKCS12'],
  ReloadOutcome: ['Never', 'Reloading', 'Reloaded', 'NotRunning', 'Retrying', 'Failed'],
  EndpointOrigin: ['Configuration', 'RunTime'],
  ReplacementState: ['None', 'Staged', 'Active'],
} as const;

/** What a parameter or a property is: a type of CSDL, a link to a resource, or something of ours by its name. */
type Kind =
  | 'String'
  | 'Int64'
  | 'DateTimeOffset'
  | { readonly link: 'Certificate' | 'CertificateCollection' }
  | { readonly enumeration: keyof typeof oemEnumerations }
  | { readonly object: string }
  | { readonly list: Kind };

export interface Member {
  readonly kind: Kind;
  readonly about: string;
  readonly required?: true;
  readonly nullable?: true;
  /** Of a parameter that is left out. */
  readonly default?: string | number;
  readonly pattern?: string;
}

export type Members = Readonly<Record<string, Member>>;

export interface OemAction {
  readonly about: string;
  readonly parameters: Members;
  /** The type that it answers with; nothing unless given. */
  readonly returns?: string;
}

/** Namespace of what is ours in Redfish, also the member of `Oem`. */
export const oemName = 'BmcCertificates';
export const oemVersion = 'v1_0_0';

/** @returns the value of `@odata.type` of an object of a type of ours */
export function oemType(type: keyof typeof oemTypes): string {
  return `#${oemName}.${oemVersion}.${type}`;
}

const submitted = {
  CertificateString: {
    kind: 'String',
    required: true,
    about:
      'The certificates; of a server or client with the private key, where the device has none.',
  },
  CertificateType: {
    kind: { enumeration: 'CertificateType' },
    default: 'PEM',
    about: 'The form of CertificateString.',
  },
  Password: {
    kind: 'String',
    nullable: true,
    about: 'Opens an encrypted key or a PKCS #12.',
  },
} as const satisfies Members;

const certificates = {
  kind: { link: 'CertificateCollection' },
  required: true,
  about: 'The collection of the endpoint.',
} as const satisfies Member;

const replacement = {
  kind: 'String',
  required: true,
  about: 'The name of a replacement, as Stage answered it.',
} as const satisfies Member;

const seconds = {
  kind: 'Int64',
  default: 0,
  about:
    'Time until the replacement is rolled back unless it is committed; 0 for the configured time.',
} as const satisfies Member;

/** Actions of the CertificateService. */
export const serviceActions = {
  Stage: {
    about: 'Finds certificates good and holds them ready, out of service.',
    parameters: {
      CertificateUri: {
        kind: { link: 'Certificate' },
        about: 'The certificate that is to be replaced; this or Certificates.',
      },
      Certificates: {
        kind: { link: 'CertificateCollection' },
        about: 'The collection whose certificate, or all of whose authorities, are to be replaced.',
      },
      ...submitted,
      AuthoritiesString: {
        kind: 'String',
        about: 'A PEM bundle that goes into service together with it, in place of all authorities.',
      },
      Authorities: {
        kind: { link: 'CertificateCollection' },
        about: 'The collection of AuthoritiesString; that of the truststore unless given.',
      },
      Seconds: seconds,
    },
    returns: 'Replacement',
  },
  Activate: {
    about: 'Puts what was staged into service, until its deadline.',
    parameters: { Replacement: replacement, Seconds: seconds },
    returns: 'Replacement',
  },
  Commit: {
    about: 'Keeps what was activated.',
    parameters: { Replacement: replacement },
  },
  Rollback: {
    about: 'Ends a replacement; what was in service before it is in service again.',
    parameters: { Replacement: replacement },
  },
  DiscardRequest: {
    about: 'Gives up a certificate signing request together with its private key.',
    parameters: {
      Id: {
        kind: 'String',
        required: true,
        pattern: '^[0-9a-f]{64}$',
        about: 'The SHA-256 of the public key in hexadecimal, as in Requests of the collection.',
      },
      Certificates: certificates,
    },
  },
  Reload: {
    about: 'Tells the services that use the certificates of an endpoint once more.',
    parameters: { Certificates: certificates },
  },
} as const satisfies Readonly<Record<string, OemAction>>;

/** Actions of the CertificateCollection of a truststore. */
export const truststoreActions = {
  ReplaceAll: {
    about: 'Puts a bundle in the place of all certificates of the collection, or changes nothing.',
    parameters: submitted,
  },
} as const satisfies Readonly<Record<string, OemAction>>;

export const oemActions = { ...serviceActions, ...truststoreActions };

export type OemActionName = keyof typeof oemActions;

/** Objects of ours. Those of `Oem` of a resource are named as its type. */
export const oemTypes = {
  CertificateCollection: {
    Origin: {
      kind: { enumeration: 'EndpointOrigin' },
      about:
        'Whether the endpoint is one of the configuration, or came at run time and may go again.',
    },
    Requests: {
      kind: { list: { object: 'Request' } },
      about:
        'Certificate signing requests whose certificates have not come; absent when they cannot be read.',
    },
    Services: {
      kind: { list: { object: 'Service' } },
      about: 'Services that use the certificates.',
    },
    Replacement: { kind: { object: 'Replacement' }, about: 'The replacement in two phases.' },
    Actions: { kind: { object: 'Actions' }, about: 'Actions of the collection of a truststore.' },
  },
  Manager: {
    CertificateCollections: {
      kind: { list: { link: 'CertificateCollection' } },
      about: 'Collections of endpoints that DMTF has no place for.',
    },
  },
  Request: {
    Id: { kind: 'String', about: 'The SHA-256 of the public key in hexadecimal.' },
    Created: { kind: 'DateTimeOffset', about: 'When it was made.' },
    CSRString: { kind: 'String', about: 'The PEM.' },
  },
  Service: {
    Service: { kind: 'String', about: 'The systemd unit or the pid file.' },
    Outcome: {
      kind: { enumeration: 'ReloadOutcome' },
      about: 'What became of telling it of the last change.',
    },
    Reason: { kind: 'String', about: 'Why the last attempt failed; empty when it did not.' },
    Time: { kind: 'DateTimeOffset', nullable: true, about: 'When the last attempt was.' },
    Attempts: { kind: 'Int64', about: 'Attempts since the change.' },
  },
  Replacement: {
    Replacement: { kind: 'String', nullable: true, about: 'Its name; null for none.' },
    State: { kind: { enumeration: 'ReplacementState' }, about: 'Where it stands.' },
    Deadline: {
      kind: 'DateTimeOffset',
      nullable: true,
      about: 'When it is rolled back unless it is committed; null for none.',
    },
  },
} as const satisfies Readonly<Record<string, Members>>;
