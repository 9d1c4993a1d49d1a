import { CertError, type CertErrorCode } from '../../core/cert-error.ts';
import { csrParameterNames, csrParameters } from '../../manager/csr/parameters.ts';
import type { BaseMessageId } from '../messages/base-registry.ts';
import { RedfishError, unavailable } from '../messages/redfish-error.ts';

/** What a request was about, for the arguments of the messages. */
export interface ErrorContext {
  /** Id of what the request names. */
  readonly id?: string;
  /** What the id is of; a certificate unless given. */
  readonly type?: string;
  /** Full name of the action, absent when a resource is created or deleted. */
  readonly action?: string;
  /** URI of the certificate in whose place another one was to be created. */
  readonly occupied?: string;
  /** The body is the certificate itself, so that it has no members to name. */
  readonly isRaw?: boolean;
  /** What the action was asked for, to show a value that is not in its list. */
  readonly parameters?: Readonly<Record<string, unknown>>;
}

/** How each kind of error answers; `input` is about the submitted certificate, `password` its password. */
type Kind =
  | 'input'
  | 'password'
  | 'argument'
  | 'duplicate'
  | 'limit'
  | 'denied'
  | 'missing'
  | 'unsupported'
  | 'away'
  | 'timeout'
  | 'full'
  | 'fault';

const kinds: Record<CertErrorCode, Kind> = {
  'file-unreadable': 'fault',
  'file-too-large': 'input',
  'file-empty': 'input',
  'pem-malformed': 'input',
  'no-certificate': 'input',
  'too-many-certificates': 'input',
  'container-malformed': 'input',
  'password-wrong': 'password',
  'key-derivation-limit': 'input',
  'format-unknown': 'input',
  'certificate-malformed': 'input',
  'chain-signature': 'input',
  'critical-extension': 'input',
  'validity-start': 'input',
  expired: 'input',
  'key-strength': 'input',
  'signature-strength': 'input',
  'key-usage': 'input',
  'tls-loadable': 'input',
  'curve-unsupported': 'input',
  'key-encrypted': 'input',
  'key-malformed': 'input',
  'key-missing': 'input',
  'key-mismatch': 'input',
  'not-a-ca': 'input',
  'already-installed': 'duplicate',
  'limit-reached': 'limit',
  'replacement-in-progress': 'away',
  busy: 'away',
  'not-empty': 'duplicate',
  'wrong-endpoint-type': 'input',
  'not-found': 'missing',
  'argument-invalid': 'argument',
  'request-failed': 'fault',
  'request-timeout': 'timeout',
  'access-denied': 'denied',
  storage: 'fault',
  'storage-full': 'full',
  unsupported: 'unsupported',
  unavailable: 'away',
  'no-answer': 'away',
  internal: 'fault',
};

/** Seconds after which a client may try again when the manager is away or busy. */
const secondsToRetry = 5;

/** The Redfish form of an error of the manager; its code and message stand in the detail. */
export function toRedfishError(error: CertError, context: ErrorContext = {}): RedfishError {
  const detail = `${error.code}: ${error.message}`;
  const about = (parameter: string) => valueError(parameter, context);
  const plain = (id: BaseMessageId, ...args: string[]) => ({ id, args, detail });
  switch (kinds[error.code]) {
    case 'input':
      return context.isRaw
        ? new RedfishError(400, { ...about('CertificateString'), detail })
        : invalid(about('CertificateString'), 'CertificateString', detail);
    case 'password':
      return invalid(about('Password'), 'Password', detail);
    case 'argument':
      return argumentError(error.message, context, detail);
    case 'duplicate':
      return new RedfishError(
        409,
        context.occupied === undefined
          ? {
              ...plain('ResourceAlreadyExists', 'Certificate', 'CertificateString', 'as submitted'),
              ...(!context.isRaw && { related: ['#/CertificateString'] }),
            }
          : plain('ResourceCreationConflict', context.occupied),
      );
    case 'limit':
      return new RedfishError(400, plain('CreateLimitReachedForResource'));
    case 'denied':
      return new RedfishError(403, plain('InsufficientPrivilege'));
    case 'missing':
      return new RedfishError(
        404,
        plain('ResourceNotFound', context.type ?? 'Certificate', context.id ?? ''),
      );
    case 'unsupported':
      return new RedfishError(
        501,
        context.action === undefined
          ? plain('GeneralError')
          : plain('ActionNotSupported', context.action),
      );
    case 'away':
      return unavailable(secondsToRetry, { detail });
    case 'timeout':
      return new RedfishError(500, plain('OperationTimeout'));
    case 'full':
      return new RedfishError(507, plain('InsufficientStorage'));
    case 'fault':
      return new RedfishError(500, plain('InternalError'));
  }
}

function valueError(parameter: string, { action }: ErrorContext) {
  return action === undefined
    ? { id: 'PropertyValueError' as const, args: [parameter] }
    : { id: 'ActionParameterValueError' as const, args: [parameter, action] };
}

/** @param fault begins with the name of the argument, as the manager has it */
function argumentError(fault: string, context: ErrorContext, detail: string): RedfishError {
  const [parameter = '', name = '', at] = /^([A-Za-z]+)(?:\/(\d+))?/.exec(fault) ?? [];
  const { action, parameters = {} } = context;
  if (action !== undefined && parameters[parameter] === '') {
    const args = [action, parameter];
    return new RedfishError(400, { id: 'ActionParameterMissing', args, detail });
  }
  const value = () => String(JSON.stringify(valueAt(parameters, parameter))).slice(0, 100);
  const message =
    action !== undefined && hasListedValue(name, at)
      ? { id: 'ActionParameterValueNotInList' as const, args: [value(), parameter, action] }
      : valueError(parameter, context);
  return invalid(message, parameter, detail);
}

/** Whether it is a value of a list of ActionInfo that is refused, and not the number of values. */
function hasListedValue(parameter: string, at: string | undefined): boolean {
  const name = csrParameterNames.find((one) => one === parameter);
  if (name === undefined) return false;
  const { signature, values } = csrParameters[name];
  return values !== undefined && (signature !== 'as' || at !== undefined);
}

function valueAt(parameters: Readonly<Record<string, unknown>>, path: string): unknown {
  const [name = '', at] = path.split('/');
  const value = parameters[name];
  return Array.isArray(value) && at !== undefined ? value[Number(at)] : value;
}

/** Runs a call of the manager; its refusals become answers. */
export async function asRedfish<T>(context: ErrorContext, call: () => T | Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw error instanceof CertError ? toRedfishError(error, context) : error;
  }
}

function invalid(
  message: { readonly id: BaseMessageId; readonly args: readonly string[] },
  member: string,
  detail: string,
): RedfishError {
  return new RedfishError(400, { ...message, detail, related: [`#/${member}`] });
}
