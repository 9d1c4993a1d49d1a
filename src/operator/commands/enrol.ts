import {
  administerEnrolment,
  type EnrolmentAdministration,
  EnrolmentRefusal,
} from '../../dbus/enrolment/enrolment-client.ts';
import type { Told } from '../../dbus/enrolment/enrolment-interface.ts';
import { type OperatorContext, operatorCommand, refuseRemote } from '../context.ts';
import { CommandError, type ExitKind } from '../framework/exit-status.ts';
import type { Fields } from '../framework/fields.ts';
import { choiceValue, textValue } from '../framework/value-kind.ts';

const certificate = {
  kind: textValue('CERTIFICATE'),
  about: 'its name in `enrolment.certificates`; need not be given where there is one alone',
  optional: true,
} as const;

const states = {
  InUse: 'good',
  Renewing: 'warning',
  Waiting: 'warning',
  Retrying: 'bad',
  Stuck: 'bad',
  Expired: 'bad',
} as const;

const time = { type: 'time', optional: true } as const;
const text = { type: 'text', optional: true } as const;

const statusFields = {
  certificate: { type: 'text', title: 'Certificate', about: 'its name in the configuration' },
  endpoint: { type: 'text', title: 'Endpoint', about: 'such as `server/https`' },
  ca: { type: 'text', title: 'CA', about: 'name of the CA profile' },
  state: {
    type: 'text',
    title: 'State',
    about:
      '`NoCertificate` of this CA, `InUse`, `Renewing`, `Waiting` for the CA, `Retrying`, `Stuck` until an operator helps, or `Expired`',
    tones: states,
  },
  notAfter: { ...time, title: 'Expires', about: 'end of the certificate in service' },
  renewAt: { ...time, title: 'Renewal', about: 'when it is renewed' },
  nextAttempt: { ...time, title: 'Next attempt', about: 'when the CA is asked again' },
  reason: { type: 'text', title: 'Reason', about: 'why the last attempt failed; empty if not' },
} as const satisfies Fields;

export const enrolStatus = operatorCommand({
  name: 'enrol status',
  summary: 'show the certificates that are kept enrolled',
  fields: statusFields,
  examples: [{ command: 'enrol status', about: 'All of them' }],
  async run({ context }) {
    return withAgent(context, 'enrol status', async (agent) => {
      const all = Object.entries(await agent.certificates());
      return { data: all.map(([name, entry]) => statusRow(name, entry)) };
    });
  },
});

function statusRow(name: string, entry: Told) {
  return {
    certificate: name,
    endpoint: textOf(entry, 'Endpoint') ?? '',
    ca: textOf(entry, 'Authority') ?? '',
    state: textOf(entry, 'State') ?? '',
    notAfter: timeOf(entry, 'NotAfter'),
    renewAt: timeOf(entry, 'RenewAt'),
    nextAttempt: timeOf(entry, 'NextAttempt'),
    reason: textOf(entry, 'Reason') ?? '',
  };
}

export const enrolNow = operatorCommand({
  name: 'enrol now',
  summary: 'ask the CA for a certificate now',
  about: [
    'Goes on with what is under way, and ends when the service shows the new certificate, or the CA wants to be asked again later. When it fails, the certificate in service stays; the agent tries again by itself where that is due for renewal, or is none of the CA.',
  ],
  arguments: { certificate },
  options: {
    operation: {
      kind: choiceValue('OPERATION', ['ir', 'cr', 'kur']),
      about:
        'a first certificate under a password, a further certificate, or a key update (default: what the certificate in service needs)',
    },
    reference: {
      kind: textValue('REFERENCE'),
      about: 'of another password in the key list of the CA profile',
    },
  },
  fields: {
    certificate: { type: 'text', title: 'Certificate', about: 'its name in the configuration' },
    outcome: { type: 'text', title: 'Outcome', about: '`accepted` or `waiting`' },
  },
  examples: [
    { command: 'enrol now', about: 'The certificate of the configuration' },
    { command: 'enrol now bmc --operation kur', about: 'Renew it before its time' },
  ],
  async run({ args, options, context }) {
    return withAgent(context, 'enrol now', async (agent) => {
      const name = await nameOf(agent, args.certificate);
      const { operation = '', reference = '' } = options;
      const outcome = await agent.enrol(name, operation, reference);
      return { data: { certificate: name, outcome }, text: `Received '${outcome}'.\n` };
    });
  },
});

export const enrolAbort = operatorCommand({
  name: 'enrol abort',
  summary: 'give up what is under way at the CA',
  about: ['The certificate in service stays. The key of the request is given up with it.'],
  arguments: { certificate },
  fields: { certificate: { type: 'text', title: 'Certificate', about: 'its name' } },
  examples: [{ command: 'enrol abort', about: 'Wait no more' }],
  async run({ args, context }) {
    return withAgent(context, 'enrol abort', async (agent) => {
      const name = await nameOf(agent, args.certificate);
      await agent.abort(name);
      return { data: { certificate: name }, text: `Nothing is under way for ${name}.\n` };
    });
  },
});

const operations: Readonly<Record<string, string>> = {
  ir: 'initialRegistration',
  cr: 'certRequest',
  kur: 'keyUpdate',
};

export const enrolShowRequest = operatorCommand({
  name: 'enrol show-request',
  summary: 'show the last request to the CA, and what came of it',
  arguments: { certificate },
  fields: {
    ca: { ...text, title: 'CA Profile', about: 'name of the CA profile' },
    request: {
      ...text,
      title: 'Original Request',
      about: '`initialRegistration`, `certRequest` or `keyUpdate`',
    },
    started: { ...time, title: 'Request Start Time', about: 'when it was made' },
    protection: {
      ...text,
      title: 'Message Protection',
      about: '`password-based` or `signature-based`',
    },
    reference: { ...text, title: 'Reference number', about: 'of the password' },
    subject: { ...text, title: 'Subject DN', about: 'what was asked for' },
    names: { type: 'texts', title: 'Subject Alt. Name', about: 'the names that were asked for' },
    saveAs: { ...text, title: 'Save-as', about: 'the endpoint that has the certificate' },
    status: {
      type: 'text',
      title: 'Request Status',
      about: '`none`, `in-progress`, `polling`, `processed` or `failed`',
      tones: { processed: 'good', failed: 'bad', polling: 'warning' },
    },
    response: { ...text, title: 'CA Response', about: 'such as `accepted` or `rejected`' },
    replied: { ...time, title: 'CA Reply Time', about: 'when the CA answered' },
    isProtected: {
      type: 'flag',
      optional: true,
      title: 'Protected answer',
      about: 'whether the answer was the CA’s for sure',
    },
    layer: { ...text, title: 'Failed at', about: 'where it failed, such as `protection`' },
    info: { ...text, title: 'Additional Info', about: 'why it failed' },
    transactionId: { ...text, title: 'Transaction ID', about: 'of the messages' },
  },
  examples: [{ command: 'enrol show-request', about: 'What happened' }],
  async run({ args, context }) {
    return withAgent(context, 'enrol show-request', async (agent) => {
      const name = await nameOf(agent, args.certificate);
      return { data: requestRow((await agent.requests())[name] ?? {}) };
    });
  },
});

function requestRow(entry: Told) {
  const operation = textOf(entry, 'Operation');
  const reference = textOf(entry, 'Reference');
  const isPassword = reference !== null && reference !== '';
  const names = entry.Names?.value;
  const isProtected = entry.IsProtected?.value;
  return {
    ca: textOf(entry, 'Authority'),
    request: operation === null ? null : (operations[operation] ?? operation),
    started: timeOf(entry, 'Started'),
    protection: operation && (isPassword ? 'password-based' : 'signature-based'),
    reference: isPassword ? reference : null,
    subject: textOf(entry, 'Subject'),
    names: Array.isArray(names) ? names.map(String) : [],
    saveAs: textOf(entry, 'Endpoint'),
    status: textOf(entry, 'Status') ?? 'none',
    response: textOf(entry, 'Response'),
    replied: timeOf(entry, 'Replied'),
    isProtected: typeof isProtected === 'boolean' ? isProtected : null,
    layer: textOf(entry, 'Layer'),
    info: textOf(entry, 'Info') || null,
    transactionId: textOf(entry, 'TransactionId'),
  };
}

export const enrolCa = operatorCommand({
  name: 'enrol ca',
  summary: 'show a CA profile',
  arguments: {
    ca: {
      kind: textValue('CA'),
      about: 'its name in `enrolment.authorities`; all unless given',
      optional: true,
    },
  },
  fields: {
    name: { type: 'text', title: 'CA Profile', about: 'its name' },
    description: { type: 'text', title: 'Description', about: 'for operators' },
    url: { type: 'text', title: 'URL', about: 'where the CA is asked' },
    endpoint: { type: 'text', title: 'Endpoint', about: 'the authority endpoint of the CA' },
    certificates: { type: 'texts', title: 'CA certificates', about: 'subjects of those there' },
    references: { type: 'texts', title: 'References', about: 'of the passwords that are known' },
    acceptsUnprotectedErrors: {
      type: 'flag',
      title: 'Unprotected errors',
      about: 'whether errors without protection are taken',
    },
    acceptsUnprotectedConfirmations: {
      type: 'flag',
      title: 'Unprotected pkiconf',
      about: 'whether a pkiconf without protection is taken',
    },
    revocationCheck: { type: 'text', title: 'Revocation check', about: '`none` or `crl-optional`' },
    sender: { type: 'text', title: 'Sender', about: '`subject`, `reference` or `null`' },
    mac: { type: 'text', title: 'Protection', about: 'of messages under a password' },
  },
  examples: [{ command: 'enrol ca lab', about: 'One profile' }],
  async run({ args, context }) {
    return withAgent(context, 'enrol ca', async (agent) => {
      const all = Object.entries(await agent.authorities()).filter(
        ([name]) => args.ca === undefined || args.ca === name,
      );
      if (all.length === 0 && args.ca !== undefined)
        throw new CommandError('not-found', `There is no CA profile ${args.ca}.`);
      return { data: all.map(([name, entry]) => authorityRow(name, entry)) };
    });
  },
});

function authorityRow(name: string, entry: Told) {
  const list = (member: string): string[] => {
    const value = entry[member]?.value;
    return Array.isArray(value) ? value.map(String) : [];
  };
  return {
    name,
    description: textOf(entry, 'Description') ?? '',
    url: textOf(entry, 'Url') ?? '',
    endpoint: textOf(entry, 'Endpoint') ?? '',
    certificates: list('Certificates'),
    references: list('References'),
    acceptsUnprotectedErrors: entry.AcceptsUnprotectedErrors?.value === true,
    acceptsUnprotectedConfirmations: entry.AcceptsUnprotectedConfirmations?.value === true,
    revocationCheck: textOf(entry, 'RevocationCheck') ?? '',
    sender: textOf(entry, 'Sender') ?? '',
    mac: textOf(entry, 'Mac') ?? '',
  };
}

/** The only certificate there is, or the named one. @throws CommandError `usage` */
async function nameOf(agent: EnrolmentAdministration, given: string | undefined): Promise<string> {
  if (given !== undefined) return given;
  const names = Object.keys(await agent.certificates());
  const [only, ...others] = names;
  if (only !== undefined && others.length === 0) return only;
  const known =
    names.length === 0 ? 'The configuration names none.' : `Name one of ${names.join(', ')}.`;
  throw new CommandError(only === undefined ? 'not-found' : 'usage', known);
}

async function withAgent<T>(
  context: OperatorContext,
  command: string,
  work: (agent: EnrolmentAdministration) => Promise<T>,
): Promise<T> {
  refuseRemote(context, command);
  const agent = await administerEnrolment(context.busAddress);
  try {
    return await work(agent);
  } catch (error) {
    if (!(error instanceof EnrolmentRefusal)) throw error;
    const { layer, message } = error;
    throw new CommandError(kinds[layer] ?? 'failed', `Not enrolled (${layer}): ${message}.`);
  } finally {
    agent.close();
  }
}

const kinds: Readonly<Record<string, ExitKind>> = {
  ca: 'refused',
  certificate: 'refused',
  protection: 'refused',
  transport: 'unavailable',
  http: 'unavailable',
};

function textOf(entry: Told, member: string): string | null {
  const value = entry[member]?.value;
  return typeof value === 'string' ? value : null;
}

function timeOf(entry: Told, member: string): Date | null {
  const value = entry[member]?.value;
  return typeof value === 'bigint' ? new Date(Number(value) * 1000) : null;
}
