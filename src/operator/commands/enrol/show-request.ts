import type { Told } from '../../../dbus/enrolment/enrolment-interface.ts';
import { operatorCommand } from '../../context.ts';
import { certificate, nameOf, textOf, timeOf, withAgent } from './agent.ts';

const time = { type: 'time', optional: true } as const;
const text = { type: 'text', optional: true } as const;

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
