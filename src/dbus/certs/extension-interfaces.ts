import {
  csrSignatures,
  rekeyParameterNames,
  renewParameterNames,
} from '../../manager/csr/parameters.ts';
import { signatureAlgorithms } from '../../manager/signing/signature-algorithms.ts';
import { contentFormats } from '../../x509/containers.ts';
import { type InterfaceSpec, signatureOf } from '../server/interface.ts';
import { csrArguments } from './certs-interfaces.ts';

/**
 * What we add to upstream. Never a member of one of its interfaces: each addition is an interface of
 * its own under this prefix. `docs/extensions.md` is made of these declarations.
 */
const prefix = 'xyz.openbmc_project.Certs.Extension';

/** Content in the message itself, so that no key lies in a file on its way. */
const content = { Content: 'ay', Format: 's', Password: 's' } as const;
const formats = contentFormats.join(', ');

export const uploadInterface = {
  name: `${prefix}.Upload`,
  about:
    'On the manager object: `Certs.Install`, `InstallAll` and `ReplaceAll` with the content in the ' +
    `message. Formats are ${formats}; the password opens an encrypted key or a PKCS #12, and is empty ` +
    'for none. Private keys in a bundle are never stored. `Add` puts all authorities of a bundle beside those that ' +
    'are installed, or none; it answers with the new ones.',
  methods: {
    Install: { in: content, out: { ObjectPath: 's' }, privileged: true },
    InstallAll: { in: content, out: { ObjectPaths: 'ao' }, privileged: true },
    Add: { in: content, out: { ObjectPaths: 'ao' }, privileged: true },
    ReplaceAll: { in: content, out: { ObjectPaths: 'ao' }, privileged: true },
  },
  properties: {},
} as const satisfies InterfaceSpec;

export const replaceContentInterface = {
  name: `${prefix}.Replace`,
  about: 'On a certificate: `Certs.Replace` with the content in the message.',
  methods: { Replace: { in: content, out: {}, privileged: true } },
  properties: {},
} as const satisfies InterfaceSpec;

export const chainInterface = {
  name: `${prefix}.Chain`,
  about:
    'On a certificate: the PEM of the certificate itself, and of the issuers that are served with it, ' +
    'in order.',
  methods: {},
  properties: { Certificates: 'as' },
} as const satisfies InterfaceSpec;

export const findingsInterface = {
  name: `${prefix}.Findings`,
  about:
    'On the certificate of a server or client: what is to be said of it although it is in service. `Warnings` are ' +
    'a code of [errors.md](errors.md) and a sentence each; `LeftOut` are the subjects of certificates that came in ' +
    'the same file and are not served, with the reason, until the manager ends. `Since` is when it was ' +
    'judged, in seconds since 1970.',
  methods: {},
  properties: { Warnings: 'a(ss)', LeftOut: 'a(ss)', Since: 't' },
} as const satisfies InterfaceSpec;

export const successorInterface = {
  name: `${prefix}.Successor`,
  about:
    'On a certificate whose key is on the device: a request with the same subject, alternative names ' +
    'and usages. `Rekey` makes a new key, of the same kind unless the arguments name another; `Renew` ' +
    'is for the key that there is. Both answer with the PEM. The certificate that comes of it is ' +
    'installed with `Replace`.',
  methods: {
    Rekey: { in: csrSignatures(rekeyParameterNames), out: { CSR: 's' }, privileged: true },
    Renew: { in: csrSignatures(renewParameterNames), out: { CSR: 's' }, privileged: true },
  },
  properties: {},
} as const satisfies InterfaceSpec;

export const requestInterface = {
  name: `${prefix}.Request`,
  about:
    'On the manager object. `Generate` is `GenerateCSR` that answers with the request itself once it is ' +
    'made, or with the reason why it could not be; requests of several callers do not get in each ' +
    "other's way. `Outstanding` lists the requests whose certificate has not come yet, oldest first, " +
    'also after a restart: the SHA-256 of the public key, seconds since 1970, and the PEM. `Discard` ' +
    'gives one up together with its key.',
  methods: {
    Generate: { in: csrArguments, out: { CSR: 's' }, privileged: true },
    Outstanding: { in: {}, out: { Requests: 'a(sts)' }, privileged: true, reads: true },
    Discard: { in: { Id: 's' }, out: {}, privileged: true },
  },
  properties: {},
} as const satisfies InterfaceSpec;

export const signingInterface = {
  name: `${prefix}.Signing`,
  about:
    'On the manager object of a server or client. `Sign` signs with the pending key of that id of `Outstanding`, or with the ' +
    `key in service where it is empty. Algorithms are ${signatureAlgorithms.join(', ')}: a digest with RSA in PKCS #1 v1.5 ` +
    'or with ECDSA, `-pss` with RSA-PSS and a salt as long as the digest, `none` with Ed25519. Data is one SEQUENCE in DER, ' +
    'which no handshake of TLS or SSH signs.',
  methods: {
    Sign: {
      in: { Request: 's', Algorithm: 's', Data: 'ay' },
      out: { Signature: 'ay' },
      privileged: true,
    },
  },
  properties: {},
} as const satisfies InterfaceSpec;

export const requestOutcomeInterface = {
  name: `${prefix}.RequestOutcome`,
  about:
    'On the CSR object: how the newest request turned out. `State` ends in `Ready` or `Failed`. `Id` is ' +
    'the one of `Outstanding`, empty for a failure; `Error` is a code of [errors.md](errors.md) and ' +
    '`Reason` a sentence, both empty for a success.',
  methods: {},
  properties: { State: 's', Id: 's', Error: 's', Reason: 's' },
  constant: ['State', 'Id', 'Error', 'Reason'],
} as const satisfies InterfaceSpec;

export const expiryInterface = {
  name: `${prefix}.Expiry`,
  about:
    'On a certificate: where it stands in its life. `State` ends in `NotYetValid`, `Valid`, `Expiring` ' +
    '(from the first threshold of the configuration) or `Expired`. `ThresholdReached` comes once for ' +
    'each threshold that is passed, and with 0 for the end itself; of several that are passed at once, ' +
    'for the lowest. A certificate that is past one when it is installed, or when the manager starts, ' +
    'is told of then, and one is told of again after the clock was set back.',
  methods: {},
  properties: { State: 's', DaysLeft: 'x' },
  signals: { ThresholdReached: { Threshold: 'u', DaysLeft: 'x' } },
} as const satisfies InterfaceSpec;

export const reloadInterface = {
  name: `${prefix}.Reload`,
  about:
    'On the manager object: what became of telling the services of the endpoint. For each the service, ' +
    'the outcome of the last attempt (`Never`, `Reloaded`, `NotRunning`, `Retrying`, `Failed`; `Reloading` ' +
    'where the reply to a change did not wait for its end), why it failed, when in seconds since 1970, and ' +
    'the number of attempts since the change. `Reload` tells them all once more, and waits.',
  methods: { Reload: { in: {}, out: {}, privileged: true } },
  properties: { Services: 'a(ssstu)' },
} as const satisfies InterfaceSpec;

export const replacementInterface = {
  name: `${prefix}.Replacement`,
  about:
    'On the manager object: a replacement in two phases. `Stage` finds a certificate good, and with it ' +
    'a bundle for the truststore whose object path is given (empty for none), which the caller must be ' +
    'allowed to change, too; from then on other changes of both are refused. `Activate` puts both into ' +
    'service, `Commit` keeps them, `Rollback` ends the replacement in any state. Only the connection ' +
    'that staged it may go on; the replacement is rolled back when that connection ends. `Detach` gives ' +
    'it to the user of the caller instead: any connection of that user may go on, and it outlives them ' +
    'all. Either way it is rolled back after `Seconds` (0 for the configured time), and when the manager ' +
    'stops or is killed. An empty `Replacement` means the one that was staged at this object. `State` ' +
    'ends in `None`, `Staged` or `Active`; `Id` is its name, empty for none; `Deadline` is when it is rolled ' +
    'back, in seconds since 1970, 0 for none. On a truststore the content is the bundle.',
  methods: {
    Stage: {
      in: { ...content, Truststore: 's', Bundle: 'ay', BundleFormat: 's', Seconds: 'u' },
      out: { Replacement: 's' },
      privileged: true,
    },
    Detach: { in: { Replacement: 's' }, out: {}, privileged: true },
    Activate: { in: { Replacement: 's', Seconds: 'u' }, out: {}, privileged: true },
    Commit: { in: { Replacement: 's' }, out: {}, privileged: true },
    Rollback: { in: { Replacement: 's' }, out: {}, privileged: true },
  },
  properties: { State: 's', Id: 's', Deadline: 't' },
} as const satisfies InterfaceSpec;

export const extensionInterfaces: readonly InterfaceSpec[] = [
  uploadInterface,
  replaceContentInterface,
  chainInterface,
  findingsInterface,
  successorInterface,
  requestInterface,
  signingInterface,
  requestOutcomeInterface,
  expiryInterface,
  reloadInterface,
  replacementInterface,
];

/** Of the methods that take content: no other call may be as large as an upload. */
export const contentSignatures: readonly string[] = extensionInterfaces
  .flatMap(({ methods }) => Object.values(methods))
  .filter((method) => Object.values(method.in).includes('ay'))
  .map((method) => signatureOf(method.in));

/** The full name of an enumeration value, as phosphor-dbus-interfaces writes them. */
export function enumName({ name }: InterfaceSpec, enumeration: string, value: string): string {
  return `${name}.${enumeration}.${value}`;
}
