import type { Told } from '../../../dbus/enrolment/enrolment-interface.ts';
import { operatorCommand } from '../../context.ts';
import type { Fields } from '../../framework/fields.ts';
import { listed, quietOption } from '../../names.ts';
import { textOf, timeOf, withAgent } from './agent.ts';

const states = {
  InUse: 'good',
  Renewing: 'warning',
  Waiting: 'warning',
  Retrying: 'bad',
  Stuck: 'bad',
  Expired: 'bad',
} as const;

const time = { type: 'time', optional: true } as const;

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
  options: quietOption,
  answersList: true,
  fields: statusFields,
  examples: [{ command: 'enrol status', about: 'All of them' }],
  async run({ options, context }) {
    return withAgent(context, 'enrol status', async (agent) => {
      const all = Object.entries(await agent.certificates());
      const data = all.map(([name, entry]) => statusRow(name, entry));
      return listed(data, options.quiet, ({ certificate }) => certificate);
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
