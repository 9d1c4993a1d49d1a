import { CertError, type CertErrorCode } from '../../core/cert-error.ts';
import { formatPem } from '../../x509/pem.ts';
import { EnrolmentFault } from '../enrolment-fault.ts';
import { chainOf } from '../issued-certificate.ts';
import type { Issued } from '../transaction/transaction.ts';
import { type Context, onDevice } from './context.ts';
import { wantedOf } from './exchange.ts';

/** What passes: the certificate can be installed later. */
const passing: readonly CertErrorCode[] = [
  'unavailable',
  'no-answer',
  'busy',
  'replacement-in-progress',
  'storage',
  'storage-full',
];

/** Whether a certificate that was confirmed will never come into service. */
export function isHopeless({ cause }: EnrolmentFault): boolean {
  return cause instanceof CertError && !passing.includes(cause.code);
}

/**
 * Puts a confirmed certificate into service: the service must show it, or the old one comes back.
 * @throws EnrolmentFault `device` or `service`
 */
export async function install(context: Context, issued: Issued): Promise<void> {
  const { device, policy, journal } = context;
  const { endpoint } = policy;
  const { requestId = '' } = journal.value;
  const inService = await onDevice('the certificate in service cannot be read', () =>
    device.inService(endpoint),
  );
  // The process died between the commit and the note of it
  if (!inService?.certificate.der.equals(issued.certificate))
    await replace(context, requestId, issued);
  // The endpoint has the key now; a copy that is left over would wait until it is too old
  await device.discard(endpoint, requestId).catch(() => undefined);
}

async function replace(
  context: Context,
  requestId: string,
  { certificate, helpers }: Issued,
): Promise<void> {
  const { device, policy, probe } = context;
  const chain = chainOf(certificate, helpers, await wantedOf(context));
  const pem = [certificate, ...chain.map(({ der }) => der)]
    .map((der) => formatPem('CERTIFICATE', der))
    .join('');
  const refused = 'the manager does not install the certificate';
  const staged = await onDevice(refused, () => device.stage(policy.endpoint, requestId, pem));
  try {
    await onTrial(refused, () => staged.activate());
    const fault = policy.probe && (await probe(policy.probe, certificate));
    if (fault) throw new EnrolmentFault('service', fault);
    await onTrial(refused, () => staged.commit());
  } catch (error) {
    // What cannot be rolled back now ends by its deadline
    await staged.rollback().catch(() => undefined);
    throw error;
  }
}

/** A change that was found good fails with the manager, or its time: the certificate can be staged again. */
async function onTrial(what: string, work: () => Promise<void>): Promise<void> {
  try {
    await onDevice(what, work);
  } catch (cause) {
    if (!(cause instanceof EnrolmentFault)) throw cause;
    throw new EnrolmentFault('device', cause.message, { cause });
  }
}
