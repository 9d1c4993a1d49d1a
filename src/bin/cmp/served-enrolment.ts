import { type EnrolmentAgent, statusOf } from '../../cmp/agent.ts';
import type { Device, Target } from '../../cmp/device.ts';
import type { Context } from '../../cmp/enrolment/context.ts';
import { EnrolmentFault } from '../../cmp/enrolment-fault.ts';
import type { CaProfile } from '../../cmp/settings.ts';
import type { Operation } from '../../cmp/transaction/transaction.ts';
import { CertError } from '../../core/cert-error.ts';
import { told } from '../../dbus/enrolment/enrolment-interface.ts';
import type { ServedEnrolment } from '../../dbus/enrolment/enrolment-service.ts';
import type { EndpointRef } from '../../manager/certificate-client.ts';
import { subjectText } from '../../x509/certificate.ts';

/** The agent as its callers on the bus see it. */
export function servedEnrolment(
  agent: EnrolmentAgent,
  profiles: () => readonly CaProfile[],
  device: Device,
): ServedEnrolment {
  const contextOf = (name: string): Context => {
    const context = agent.contexts.get(name);
    if (!context) throw new CertError('not-found', `no certificate ${name} is to be enrolled`);
    return context;
  };
  const each = async <T>(make: (context: Context) => T | Promise<T>) => {
    const entries = [...agent.contexts].map(
      async ([name, one]) => [name, await make(one)] as const,
    );
    return Object.fromEntries(await Promise.all(entries));
  };
  return {
    certificates: () => each(certificateOf),
    requests: () => each(requestOf),
    async authorities() {
      const entries = profiles().map((profile) => [profile.name, authorityOf(profile, device)]);
      return Object.fromEntries(entries);
    },
    async enrol(name, operation, reference) {
      const order = {
        operation: operationOf(operation),
        reference: reference === '' ? undefined : reference,
      };
      const outcome = await agent.enrol(contextOf(name), order);
      return 'isInstalled' in outcome ? 'accepted' : 'waiting';
    },
    abort: (name) => agent.abort(contextOf(name)),
    refusalOf: (error) => (error instanceof EnrolmentFault ? error : undefined),
  };
}

async function certificateOf(context: Context) {
  const { policy } = context;
  const status = await statusOf(context);
  const { notAfter, renewAt, nextAttempt } = status;
  return told({
    State: status.state,
    Endpoint: nameOf(policy.endpoint),
    Authority: policy.ca,
    Reason: status.reason,
    NotAfter: seconds(notAfter),
    RenewAt: seconds(renewAt),
    NextAttempt: nextAttempt === undefined ? undefined : seconds(nextAttempt / 1000),
  });
}

function requestOf({ journal, policy }: Context) {
  const { lastRequest } = journal.value;
  if (!lastRequest) return told({ Status: 'none' });
  const { operation, ca, reference, subject, names, started, replied } = lastRequest;
  const { transactionId, status, response, isProtected, layer, info } = lastRequest;
  return told({
    Authority: ca,
    Operation: operation,
    Reference: reference,
    Subject: subject,
    Names: names,
    Endpoint: nameOf(policy.endpoint),
    TransactionId: transactionId,
    Started: BigInt(started),
    Replied: seconds(replied),
    Status: status,
    Response: response,
    IsProtected: isProtected,
    Layer: layer,
    Info: info,
  });
}

function authorityOf(profile: CaProfile, device: Device) {
  const { description, url, authority, keyList, acceptUnprotected, revocationCheck } = profile;
  return told({
    Description: description,
    Url: url,
    Endpoint: nameOf(authority),
    Certificates: subjectsOf(authority, device),
    References: Object.keys(keyList),
    AcceptsUnprotectedErrors: acceptUnprotected.errorMessage,
    AcceptsUnprotectedConfirmations: acceptUnprotected.pkiconfMessage,
    RevocationCheck: revocationCheck,
    Sender: profile.sender,
    Mac: `${profile.mac.kind} with ${profile.mac.digest}`,
  });
}

/** Of none while the manager is away. */
function subjectsOf(authority: Target, device: Device): string[] {
  try {
    return device.authorities(authority).map(subjectText);
  } catch {
    return [];
  }
}

function operationOf(text: string): Operation | undefined {
  switch (text) {
    case '':
      return undefined;
    case 'ir':
    case 'cr':
    case 'kur':
      return text;
    default:
      throw new CertError('argument-invalid', `Operation is not ir, cr or kur`);
  }
}

function nameOf({ type, name }: EndpointRef): string {
  return `${type}/${name}`;
}

function seconds(time: number | undefined): bigint | undefined {
  return time === undefined ? undefined : BigInt(Math.max(0, Math.floor(time)));
}
