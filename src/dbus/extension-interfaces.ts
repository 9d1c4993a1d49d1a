import { csrArguments } from './certs-interfaces.ts';
import type { InterfaceSpec } from './interface.ts';

/**
 * What we add to upstream. Never a member of one of its interfaces: each addition is an interface of
 * its own under this prefix.
 */
const prefix = 'xyz.openbmc_project.Certs.Extension';

/** Content in the message itself, so that no key lies in a file on its way. Formats: `contentFormats`. */
const content = { Content: 'ay', Format: 's', Password: 's' } as const;

/** On the manager object: `Certs.Install` and its like for every format. */
export const uploadInterface = {
  name: `${prefix}.Upload`,
  methods: {
    Install: { in: content, out: { ObjectPath: 's' }, privileged: true },
    InstallAll: { in: content, out: { ObjectPaths: 'ao' }, privileged: true },
    ReplaceAll: { in: content, out: { ObjectPaths: 'ao' }, privileged: true },
  },
  properties: {},
} as const satisfies InterfaceSpec;

/** On a certificate: `Certs.Replace` for every format. */
export const replaceContentInterface = {
  name: `${prefix}.Replace`,
  methods: { Replace: { in: content, out: {}, privileged: true } },
  properties: {},
} as const satisfies InterfaceSpec;

/**
 * On the manager object. `Generate` is `GenerateCSR` that answers with the request itself once it is
 * made, or with the reason why it could not be; requests of several callers do not get in each other's
 * way. `Outstanding` lists those without a certificate yet, oldest first: id, seconds since 1970, PEM.
 * `Discard` gives up one with its key.
 */
export const requestInterface = {
  name: `${prefix}.Request`,
  methods: {
    Generate: { in: csrArguments, out: { CSR: 's' }, privileged: true },
    Outstanding: { in: {}, out: { Requests: 'a(sts)' }, privileged: true },
    Discard: { in: { Id: 's' }, out: {}, privileged: true },
  },
  properties: {},
} as const satisfies InterfaceSpec;

/**
 * On the CSR object: how the newest request turned out. `Error` is one of our codes and `Reason` a
 * sentence, both empty for a success; `Id` is the hash of the public key, empty for a failure.
 */
export const requestOutcomeInterface = {
  name: `${prefix}.RequestOutcome`,
  methods: {},
  properties: { State: 's', Id: 's', Error: 's', Reason: 's' },
  constant: ['State', 'Id', 'Error', 'Reason'],
} as const satisfies InterfaceSpec;

/**
 * On a certificate: where it stands in its life. `ThresholdReached` comes once for each configured
 * number of days before the end, and with 0 for the end itself; a certificate that is past one when it
 * is installed, or when the manager starts, is told of then.
 */
export const expiryInterface = {
  name: `${prefix}.Expiry`,
  methods: {},
  properties: { State: 's', DaysLeft: 'x' },
  signals: { ThresholdReached: { Threshold: 'u', DaysLeft: 'x' } },
} as const satisfies InterfaceSpec;

/**
 * On the manager object: what became of telling the services. For each the service, the outcome of the
 * last attempt (`Reloaded`, `NotRunning`, `Retrying`, `Failed`, `Never`), why it failed, when in seconds
 * since 1970, and the number of attempts. `Reload` tells them all once more.
 */
export const reloadInterface = {
  name: `${prefix}.Reload`,
  methods: { Reload: { in: {}, out: {}, privileged: true } },
  properties: { Services: 'a(ssstu)' },
} as const satisfies InterfaceSpec;

/**
 * On the manager object: a replacement in two phases. `Stage` finds a certificate good, and with it a
 * bundle for the truststore whose object path is given (both empty for none); other changes wait then.
 * `Activate` puts both into service, `Commit` keeps them, `Rollback` ends it in any state. It is rolled
 * back by itself when the caller leaves the bus, after `Seconds` (0 for the configured time), and when
 * the manager stops. On an authority endpoint the content is the bundle.
 */
export const trialInterface = {
  name: `${prefix}.Trial`,
  methods: {
    Stage: {
      in: {
        ...content,
        Truststore: 's',
        Bundle: 'ay',
        BundleFormat: 's',
        Seconds: 'u',
      },
      out: { Trial: 's' },
      privileged: true,
    },
    Activate: { in: { Trial: 's', Seconds: 'u' }, out: {}, privileged: true },
    Commit: { in: { Trial: 's' }, out: {}, privileged: true },
    Rollback: { in: { Trial: 's' }, out: {}, privileged: true },
  },
  properties: { State: 's' },
} as const satisfies InterfaceSpec;

/** The full name of an enumeration value, as phosphor-dbus-interfaces writes them. */
export function enumName({ name }: InterfaceSpec, enumeration: string, value: string): string {
  return `${name}.${enumeration}.${value}`;
}
