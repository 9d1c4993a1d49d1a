import type { NetconfStatus } from '../../../dbus/netconf-service/netconf-interface.ts';
import { operatorCommand } from '../../context.ts';
import { choiceValue } from '../../framework/value-kind.ts';
import { withService } from './program.ts';

export const netconfStatus = operatorCommand({
  name: 'netconf status',
  summary: 'show how the NETCONF service stands',
  fields: {
    address: { type: 'text', about: 'where the service listens' },
    port: { type: 'number', about: 'its TCP port' },
    listens: { type: 'text', title: 'Listens at', about: 'both of them' },
    state: {
      type: 'text',
      title: 'State',
      about:
        '`ready`, or why every connection is closed: `no-certificate`, `self-signed`, `expired`, `not-yet-valid`, `no-authorities` or `manager-away`',
      tones: { ready: 'good' },
    },
    advice: { type: 'text', title: 'Advice', optional: true, about: 'what to do' },
    certificate: {
      type: 'text',
      title: 'Certificate',
      optional: true,
      about: 'the id that the service is bound to',
    },
    authorities: {
      type: 'texts',
      title: 'Client CAs',
      about: 'subjects of the CAs that verify clients',
    },
    missing: {
      type: 'texts',
      title: 'Missing',
      about: 'names in `netconf.clientAuthorities` that no endpoint has',
    },
    sessions: { type: 'number', title: 'Sessions', about: 'how many are up' },
    refused: { type: 'number', title: 'Refused', about: 'how many entries `netconf refused` has' },
    identities: { type: 'number', title: 'Identities', about: 'entries of the list' },
    origin: {
      type: 'text',
      title: 'List',
      about: 'whose the list of client identities is: `configuration` or `run time`',
    },
    trace: { type: 'flag', title: 'Trace', about: 'whether each operation is logged' },
  },
  examples: [{ command: 'netconf status', about: 'Whether clients can come in, and else why not' }],
  run: ({ context }) =>
    withService(context, 'netconf status', async (service) => ({
      data: statusRow(await service.status()),
    })),
});

function statusRow(status: NetconfStatus) {
  const { address, port, state, advice, certificate, authorities, missing, origin, trace } = status;
  return {
    ...{ address, port, state, authorities, missing, origin, trace },
    listens: `${address.includes(':') ? `[${address}]` : address}:${port}`,
    advice: advice === '' ? null : advice,
    certificate: certificate === '' ? null : certificate,
    sessions: status.sessions.length,
    refused: status.refused.length,
    identities: status.identities.length,
  };
}

export const netconfSessions = operatorCommand({
  name: 'netconf sessions',
  summary: 'show the sessions of the NETCONF service',
  answersList: true,
  fields: {
    id: { type: 'number', title: 'Id', about: 'of the session, as kill-session takes it' },
    user: { type: 'text', title: 'User', about: 'the one of the certificate of the client' },
    address: { type: 'text', title: 'Address', about: 'of the client' },
    since: { type: 'time', title: 'Since', about: 'when it began' },
  },
  examples: [{ command: 'netconf sessions', about: 'All of them' }],
  run: ({ context }) =>
    withService(context, 'netconf sessions', async (service) => ({
      data: (await service.status()).sessions,
    })),
});

export const netconfRefused = operatorCommand({
  name: 'netconf refused',
  summary: 'show the last clients that the NETCONF service refused, and why',
  about: ['The newest first. The fingerprint is as `netconf add-identity` takes it.'],
  answersList: true,
  fields: {
    at: { type: 'time', title: 'Last', about: 'when it was refused the last time' },
    count: { type: 'number', title: 'Times', about: 'how often' },
    reason: { type: 'text', title: 'Reason', about: 'the code of the reason' },
    address: { type: 'text', title: 'Address', about: 'of the client' },
    subject: { type: 'text', title: 'Subject', about: 'of its certificate; empty for none' },
    text: { type: 'text', title: 'That is', about: 'the reason' },
    fingerprint: {
      type: 'text',
      title: 'Fingerprint',
      about: 'of its certificate; empty for none',
    },
  },
  examples: [{ command: 'netconf refused', about: 'Why does a client not get in?' }],
  run: ({ context }) =>
    withService(context, 'netconf refused', async (service) => ({
      data: (await service.status()).refused,
    })),
});

export const netconfTrace = operatorCommand({
  name: 'netconf trace',
  summary: 'log each operation of the NETCONF sessions, or no more',
  about: [
    'The log has the session, the user, the operation and its outcome, and nothing of what it is about. It counts until the next start of the service, which begins as `netconf.trace` says.',
  ],
  arguments: { state: { kind: choiceValue('on|off', ['on', 'off']), about: 'whether it does' } },
  fields: { trace: { type: 'flag', title: 'Trace', about: 'whether each operation is logged' } },
  examples: [{ command: 'netconf trace on', about: 'To see what a client does' }],
  run: ({ args, context }) =>
    withService(context, 'netconf trace', async (service) => {
      await service.setTrace(args.state === 'on');
      return { data: { trace: (await service.status()).trace } };
    }),
});
