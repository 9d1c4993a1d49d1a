import type { InterfaceSpec, TypedValue } from '../server/interface.ts';

export const enrolmentName = 'xyz.openbmc_project.Certs.Enrolment';
export const enrolmentRoot = '/xyz/openbmc_project/certs/enrolment';

const certificate = { Certificate: 's' } as const;

export const enrolmentInterface = {
  name: 'xyz.openbmc_project.Certs.Extension.Enrolment',
  about:
    `Of the agent for CMP: ${enrolmentName}, ${enrolmentRoot}. Its callers are root, its own user, and the users that ` +
    '`enrolment.access` of the [configuration](configuration.md) names. Certificates and CA profiles go by their names there.\n\n' +
    '`Certificates` tells of each certificate `State` (`NoCertificate`, `InUse`, `Renewing`, `Waiting`, `Retrying`, `Stuck`, ' +
    '`Expired`), `Endpoint`, `Authority`, `Reason` of the last failure, and in seconds since 1970 `NotAfter`, `RenewAt` and ' +
    '`NextAttempt`; a time that is not known is left out. `Requests` tells of the last request of each, and `Authorities` of the CA ' +
    'profiles, without a password.\n\n' +
    '`Enrol` asks the CA now, or goes on with what is under way, and answers when that is done: `accepted`, or `waiting` when ' +
    'the CA wants to be asked again later. `Operation` is `ir`, `cr` or `kur`; empty for what the certificate in service ' +
    'needs. `Reference` is that of the password, and empty for that of the configuration. `Abort` gives up what is under way ' +
    'with its key. An error `Error.<Layer>` names where it failed: `Configuration`, `Device`, `Transport`, `Http`, ' +
    '`Encoding`, `Header`, `Protection`, `Body`, `Ca`, `Certificate` or `Service`. `Changed` comes when a command or the ' +
    'clock moved a certificate to another state.',
  methods: {
    Certificates: { in: {}, out: { All: 'a{sa{sv}}' }, privileged: true, reads: true },
    Requests: { in: {}, out: { All: 'a{sa{sv}}' }, privileged: true, reads: true },
    Authorities: { in: {}, out: { All: 'a{sa{sv}}' }, privileged: true, reads: true },
    Enrol: {
      in: { ...certificate, Operation: 's', Reference: 's' },
      out: { Outcome: 's' },
      privileged: true,
    },
    Abort: { in: certificate, out: {}, privileged: true },
  },
  properties: {},
  signals: { Changed: { Certificate: 's', State: 's' } },
} as const satisfies InterfaceSpec;

export type Told = Readonly<Record<string, TypedValue>>;

/** Members of a dictionary by their types; what is `undefined` is left out. */
export function told(
  members: Readonly<Record<string, string | bigint | boolean | readonly string[] | undefined>>,
): Told {
  const entries = Object.entries(members).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, { signature: signatureOfValue(value), value }] as const],
  );
  return Object.fromEntries(entries);
}

function signatureOfValue(value: string | bigint | boolean | readonly string[]): string {
  if (typeof value === 'string') return 's';
  if (typeof value === 'bigint') return 't';
  return typeof value === 'boolean' ? 'b' : 'as';
}
