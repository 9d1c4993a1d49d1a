import { CertError, type CertErrorCode, isCertErrorCode } from '../../core/cert-error.ts';

const internalFailure = 'xyz.openbmc_project.Common.Error.InternalFailure';
const invalidArgument = 'xyz.openbmc_project.Common.Error.InvalidArgument';
export const invalidCertificate = 'xyz.openbmc_project.Certs.Error.InvalidCertificate';
const notAllowed = 'xyz.openbmc_project.Common.Error.NotAllowed';

/**
 * The error name of each code. Names are upstream's where upstream has the case (contract §5 and §8);
 * `file-unreadable` and `key-missing` are internal failures there, so clients expect that name.
 */
const errorNames: Record<CertErrorCode, string> = {
  'file-unreadable': internalFailure,
  'file-too-large': invalidCertificate,
  'file-empty': invalidCertificate,
  'pem-malformed': invalidCertificate,
  'no-certificate': invalidCertificate,
  'too-many-certificates': invalidCertificate,
  'container-malformed': invalidCertificate,
  'password-wrong': invalidCertificate,
  'key-derivation-limit': invalidCertificate,
  'format-unknown': invalidArgument,
  'certificate-malformed': invalidCertificate,
  'chain-signature': invalidCertificate,
  'critical-extension': invalidCertificate,
  'validity-start': invalidCertificate,
  expired: invalidCertificate,
  'key-strength': invalidCertificate,
  'signature-strength': invalidCertificate,
  'key-usage': invalidCertificate,
  'tls-loadable': invalidCertificate,
  'curve-unsupported': invalidCertificate,
  'key-encrypted': invalidCertificate,
  'key-malformed': invalidCertificate,
  'key-missing': internalFailure,
  'key-mismatch': invalidCertificate,
  'not-a-ca': invalidCertificate,
  'already-installed': notAllowed,
  'limit-reached': notAllowed,
  'replacement-in-progress': notAllowed,
  busy: notAllowed,
  'not-empty': notAllowed,
  'wrong-endpoint-type': notAllowed,
  'not-found': 'org.freedesktop.DBus.Error.UnknownObject',
  'argument-invalid': invalidArgument,
  'request-failed': internalFailure,
  'request-timeout': internalFailure,
  'access-denied': 'org.freedesktop.DBus.Error.AccessDenied',
  storage: internalFailure,
  'storage-full': internalFailure,
  unsupported: 'org.freedesktop.DBus.Error.NotSupported',
  unavailable: 'org.freedesktop.DBus.Error.ServiceUnknown',
  'no-answer': 'org.freedesktop.DBus.Error.NoReply',
  internal: internalFailure,
};

/** An error as it stands in a reply. */
export interface ErrorReply {
  readonly name: string;
  readonly text: string;
}

/** An error with the name that it has on the bus. */
export class DBusError extends Error {
  override readonly name: string = 'DBusError';
  readonly reply: ErrorReply;

  constructor(reply: ErrorReply) {
    super(reply.text);
    this.reply = reply;
  }
}

/** A protocol error of the object server itself, with a name of the D-Bus Specification. */
export class DBusProtocolError extends DBusError {
  override readonly name = 'DBusProtocolError';

  constructor(name: string, text: string) {
    super({ name: `org.freedesktop.DBus.Error.${name}`, text });
  }
}

/**
 * The reply for an error: the text begins with our code, so that the failing check is named even where
 * upstream has one name for many. An error outside of our own types is a bug: nothing of it leaves.
 */
export function toErrorReply(error: unknown): ErrorReply {
  if (error instanceof DBusError) return error.reply;
  if (error instanceof CertError) {
    return { name: errorNames[error.code], text: `${error.code}: ${error.message}` };
  }
  return { name: internalFailure, text: 'internal: The operation failed internally.' };
}

/** Codes of errors that have a name but not our text: those of the bus, and of upstream's manager. */
const codesByName: Readonly<Record<string, CertErrorCode>> = {
  [invalidArgument]: 'argument-invalid',
  [invalidCertificate]: 'certificate-malformed',
  [notAllowed]: 'already-installed',
  'org.freedesktop.DBus.Error.UnknownObject': 'not-found',
  'org.freedesktop.DBus.Error.AccessDenied': 'access-denied',
  'org.freedesktop.DBus.Error.NotSupported': 'unsupported',
  'org.freedesktop.DBus.Error.UnknownInterface': 'unsupported',
  'org.freedesktop.DBus.Error.UnknownMethod': 'unsupported',
  'org.freedesktop.DBus.Error.NoReply': 'no-answer',
  'org.freedesktop.DBus.Error.Timeout': 'no-answer',
  'org.freedesktop.DBus.Error.ServiceUnknown': 'unavailable',
  'org.freedesktop.DBus.Error.NameHasNoOwner': 'unavailable',
  'org.freedesktop.DBus.Error.Disconnected': 'unavailable',
  // The bus lets a connection wait for 128 answers at a time
  'org.freedesktop.DBus.Error.LimitsExceeded': 'busy',
};

/** The error that a reply stood for; `errorNameOf` has its name. */
export function fromErrorReply({ name, text }: ErrorReply): CertError {
  const [, prefix = '', message = ''] = /^([a-z-]+): (.*)$/s.exec(text) ?? [];
  const cause: RepliedWith = { errorName: name };
  if (isCertErrorCode(prefix) && errorNames[prefix] === name) {
    return new CertError(prefix, message, { cause });
  }
  return new CertError(codesByName[name] ?? 'internal', text, { cause });
}

interface RepliedWith {
  readonly errorName: string;
}

/** The name that an error had on the bus; `undefined` when it did not come in a reply. */
export function errorNameOf(error: unknown): string | undefined {
  const cause = error instanceof CertError ? error.cause : undefined;
  if (typeof cause !== 'object' || cause === null || !('errorName' in cause)) return undefined;
  return String(cause.errorName);
}
