import type { Certificate } from '../../x509/certificate.ts';
import { findPath } from '../../x509/certificate-path.ts';
import { formatName, type NewAttribute } from '../../x509/name.ts';
import type { InService, PendingKey } from '../device.ts';
import { EnrolmentFault } from '../enrolment-fault.ts';
import { type EnrolmentJournal, storedTransaction } from '../journal.ts';
import { readPassword } from '../protection/passwords.ts';
import {
  macProtector,
  type Protector,
  protectMessage,
  signatureProtector,
} from '../protection/protect.ts';
import { generalNameOf, requestBody, subjectOf } from '../request.ts';
import { parseNames, parseSubject } from '../subject.ts';
import { draftOf } from '../transaction/draft.ts';
import { type Operation, openTransaction } from '../transaction/transaction.ts';
import { type Context, onDevice, secondsOf } from './context.ts';

/** What an operator asks for, in place of what the policy says. */
export interface Order {
  readonly operation?: Operation | undefined;
  readonly reference?: string | undefined;
}

const saltBytes = 16;

/** Makes a key and a request, and writes both into the journal. Nothing is sent. */
export async function begin(context: Context, order: Order): Promise<void> {
  const { policy, profile, device, journal, facts, random, now } = context;
  const { endpoint } = policy;
  const inService = await ownCertificate(context);
  const operation = order.operation ?? usualOperation(context, inService?.certificate);
  const reference = operation === 'ir' ? (order.reference ?? policy.reference) : '';
  const { subject, names } = {
    subject: parseSubject(policy.subject, facts),
    names: parseNames(policy.names, facts),
  };
  if (operation === 'ir' && reference === '')
    throw new EnrolmentFault(
      'configuration',
      `a first certificate needs a password, and ${policy.name} has no reference`,
    );
  const salt = random(saltBytes);
  // Before a key is made: the profile may lack the password
  const { protector, sender } = makeProtection(context, { reference, salt, inService, subject });
  const [anchor] = await anchorsOf(context);
  if (!anchor)
    throw new EnrolmentFault(
      'configuration',
      `the CA profile ${profile.name} has no CA: ${profile.authority.type}/${profile.authority.name} is empty`,
    );
  const key = await pendingKey(context);
  const omitsNames = operation === 'kur' && policy.kurNames === 'omit';
  const template = { subject: omitsNames ? [] : subject, names: omitsNames ? [] : names };
  const old = inService?.certificate.der;
  const sign = (...[algorithm, data]: Parameters<Parameters<typeof requestBody>[2]>) =>
    onDevice('the manager does not sign the request', () =>
      device.sign(endpoint, key.id, algorithm, data),
    );
  const body = await requestBody(operation, { ...template, publicKey: key.publicKey, old }, sign);
  const transaction = openTransaction(operation, subjectOf(anchor.der), random);
  const draft = draftOf(transaction, body, sender, new Date(now()));
  const message = await protectMessage(draft.header, draft.body, protector);
  await journal.change((before) => ({
    ...withoutTransaction(before),
    requestId: key.id,
    transaction: storedTransaction(transaction, reference),
    outgoing: { message: message.toString('base64'), sends: 0 },
    salt: salt.toString('base64'),
    lastRequest: {
      ...{ operation, ca: profile.name, reference },
      subject: formatName(subject.map((attribute) => [attribute])),
      names: names.map(({ kind, value }) => `${kind}:${value}`),
      started: secondsOf(context),
      transactionId: transaction.transactionId.toString('hex'),
      status: 'in-progress',
      info: '',
    },
  }));
}

export function withoutTransaction(before: EnrolmentJournal): EnrolmentJournal {
  const { transaction: _, outgoing: __, salt: ___, unanswered: ____, ...rest } = before;
  return rest;
}

export async function anchorsOf({ device, profile }: Context): Promise<readonly Certificate[]> {
  return onDevice(`the CAs of the profile ${profile.name} cannot be read`, () =>
    device.authorities(profile.authority),
  );
}

/** The certificate in service, if a CA of the profile issued it, whether or not it has ended since. */
export async function ownCertificate(context: Context): Promise<InService | undefined> {
  const { device, policy } = context;
  const inService = await onDevice('the certificate in service cannot be read', () =>
    device.inService(policy.endpoint),
  );
  if (!inService) return undefined;
  const anchors = await anchorsOf(context);
  const { certificate, chain } = inService;
  // Whose it is does not change with the clock, nor with the end of the CA
  const times = [secondsOf(context), certificate.notBefore, certificate.notAfter];
  const isOwn = times.some(
    (now) => typeof findPath(certificate, { anchors, helpers: chain, now }) !== 'string',
  );
  return isOwn ? inService : undefined;
}

function usualOperation(context: Context, current: Certificate | undefined): Operation {
  const { policy } = context;
  if (!current || current.notAfter <= secondsOf(context)) return 'ir';
  return policy.renew;
}

interface Protection {
  readonly reference: string;
  readonly salt: Buffer;
  readonly inService: InService | undefined;
  readonly subject: readonly NewAttribute[];
}

/**
 * @param protection with an empty reference it is the key in service that signs
 * @returns what protects the messages of a transaction, and the GeneralName of their sender
 */
export function makeProtection(
  { profile, policy, device }: Context,
  { reference, salt, inService, subject }: Protection,
): { readonly protector: Protector; readonly sender: Buffer } {
  if (reference !== '') {
    const value = readPassword(profile, reference);
    const attributes = {
      subject,
      reference: [{ type: 'CN', value: reference }] as const,
      null: [],
    }[profile.sender];
    const protector = macProtector({ reference, value }, profile.mac, salt);
    return { protector, sender: generalNameOf(attributes) };
  }
  if (!inService)
    throw new EnrolmentFault(
      'configuration',
      `${policy.endpoint.type}/${policy.endpoint.name} has no certificate of this CA to sign a request with`,
    );
  const { certificate, chain } = inService;
  const protector = signatureProtector([certificate, ...chain], (algorithm, data) =>
    onDevice('the manager does not sign the message', () =>
      device.sign(policy.endpoint, undefined, algorithm, data),
    ),
  );
  return { protector, sender: subjectOf(certificate.der) };
}

/** The key of an attempt before this one, or a new key. */
async function pendingKey({ device, policy, journal }: Context): Promise<PendingKey> {
  const { requestId } = journal.value;
  return onDevice('the manager makes no key', async () => {
    const old = requestId && (await device.pending(policy.endpoint, requestId));
    if (old) return old;
    const made = await device.generate(policy.endpoint, policy.key);
    await journal.change((before) => ({ ...before, requestId: made.id }));
    return made;
  });
}
