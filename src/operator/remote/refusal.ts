import { CertError, isCertErrorCode } from '../../core/cert-error.ts';
import { CommandError, type ExitKind } from '../framework/exit-status.ts';
import type { Answer } from './connection.ts';
import { listAt, textAt, textsAt } from './json.ts';

/** The first message of an error response (DSP0266, "Error responses"). */
export interface Refusal {
  readonly status: number;
  /** Without the registry and its version. */
  readonly messageId: string;
  readonly messageArgs: readonly string[];
  readonly message: string;
  readonly resolution: string;
  /** What our own services say beyond the message; empty for none. */
  readonly detail: string;
}

/** @param sent the body of the request, of whose secrets some services tell in their answers */
export function readRefusal({ status, body: answered }: Answer, sent: object = {}): Refusal {
  const body = withoutSecrets(answered, sent);
  const [first] = listAt(body, 'error', '@Message.ExtendedInfo');
  const whole = textAt(body, 'error', 'message') ?? '';
  const message = textAt(first, 'Message') ?? whole;
  const detail = whole.startsWith(`${message}  `) ? whole.slice(message.length + 2) : '';
  const resolution = textAt(first, 'Resolution') ?? '';
  return {
    status,
    messageId: (textAt(first, 'MessageId') ?? '').split('.').at(-1) ?? '',
    messageArgs: textsAt(first, 'MessageArgs'),
    message,
    resolution,
    detail: detail.replace(/\.$/, '') || detailIn(resolution),
  };
}

const secretMembers = ['CertificateString', 'Password', 'ChallengePassword'];

function withoutSecrets(answered: unknown, sent: object): unknown {
  const secrets = secretMembers.flatMap((name) => textAt(sent, name) || []);
  // A key may stand in it in any form of its text
  const keys = /-----BEGIN[^-]*PRIVATE KEY-----.*?(-----END[^-]*PRIVATE KEY-----|$)/gs;
  const clean = (text: string) =>
    secrets
      .reduce((rest, secret) => rest.replaceAll(secret, '(as sent)'), text)
      .replace(keys, '(as sent)');
  return mapTexts(answered, clean);
}

function mapTexts(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === 'string') return map(value);
  if (Array.isArray(value)) return value.map((one) => mapTexts(one, map));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, mapTexts(one, map)]));
}

/** Where there are several messages, the detail stands before the resolution of the registry alone. */
function detailIn(resolution: string): string {
  const [, code = '', text] = /^([a-z][a-z-]*): (.*?)\. [A-Z]/.exec(resolution) ?? [];
  return isCertErrorCode(code) ? `${code}: ${text}` : '';
}

/** Ends a command in the words of the service. */
export class RefusedError extends CommandError {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(kindOf(refusal.status), sentenceOf(refusal));
    this.refusal = refusal;
  }
}

/** The error of the manager behind a refusal, so that it is told as over the bus; for any other the words of the service. */
export function errorOf(refusal: Refusal): CertError | RefusedError {
  const [, code = '', text = ''] = /^([a-z][a-z-]*): (.*)$/s.exec(refusal.detail) ?? [];
  return isCertErrorCode(code) ? new CertError(code, text) : new RefusedError(refusal);
}

const kinds: Readonly<Record<number, ExitKind>> = {
  401: 'denied',
  403: 'denied',
  404: 'not-found',
  405: 'unsupported',
  409: 'conflict',
  410: 'not-found',
  412: 'conflict',
  501: 'unsupported',
  503: 'unavailable',
};

function kindOf(status: number): ExitKind {
  return kinds[status] ?? (status < 500 ? 'refused' : 'failed');
}

function sentenceOf({ status, message, resolution, detail }: Refusal): string {
  if (message === '') return `The Redfish service answered with the HTTP status ${status}.`;
  const what = message.replace(/\.\s*$/, '');
  const next = detail || (/^none\b/i.test(resolution) ? '' : resolution.replace(/\.\s*$/, ''));
  return next === '' ? `${what}.` : `${what}; ${next.charAt(0).toLowerCase()}${next.slice(1)}.`;
}

/** A command for which the service has nothing to ask. @param what as in "cannot …" */
export function notOffered(what: string): CommandError {
  return new CommandError(
    'unsupported',
    `This Redfish service cannot ${what}: it does not offer that. Run bmc-certs on the device itself.`,
  );
}
