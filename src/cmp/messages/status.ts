import { namedBits } from '../../x509/asn1/primitives.ts';
import type { StatusInfo } from './body.ts';

/** PKIStatus (RFC 9810 §5.2.3), by number. */
const statusNames = [
  'accepted',
  'grantedWithMods',
  'rejection',
  'waiting',
  'revocationWarning',
  'revocationNotification',
  'keyUpdateWarning',
] as const;

/** PKIFailureInfo, by bit. */
const failureNames = [
  'badAlg',
  'badMessageCheck',
  'badRequest',
  'badTime',
  'badCertId',
  'badDataFormat',
  'wrongAuthority',
  'incorrectData',
  'missingTimeStamp',
  'badPOP',
  'certRevoked',
  'certConfirmed',
  'wrongIntegrity',
  'badRecipientNonce',
  'timeNotAvailable',
  'unacceptedPolicy',
  'unacceptedExtension',
  'addInfoNotAvailable',
  'badSenderNonce',
  'badCertTemplate',
  'signerNotTrusted',
  'transactionIdInUse',
  'unsupportedVersion',
  'notAuthorized',
  'systemUnavail',
  'systemFailure',
  'duplicateCertReq',
] as const;

export function statusName({ status }: StatusInfo): string {
  return statusNames[status] ?? `status ${status}`;
}

export function failuresOf({ failInfo }: StatusInfo): string[] {
  return failInfo ? namedBits(failInfo).map((bit) => failureNames[bit] ?? `bit ${bit}`) : [];
}

/** The PKIStatusInfo as text for a log line; the sender of the message, who may not be the CA, chose it. */
export function statusText(info: StatusInfo): string {
  const text = plainText((info.statusString ?? []).join('; '));
  const failures = failuresOf(info).join(', ');
  const more = [text, failures === '' ? '' : `(${failures})`].filter((part) => part !== '');
  return [statusName(info), ...more].join(' ');
}

const maxText = 512;

/** Not too long, and nothing in it that begins a line, colours a terminal or hides what follows. */
export function plainText(text: string): string {
  const shown = text.length > maxText ? `${text.slice(0, maxText)}…` : text;
  return shown.replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (one) => `\\u{${one.codePointAt(0)?.toString(16)}}`,
  );
}
