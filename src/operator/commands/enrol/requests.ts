import { operatorCommand } from '../../context.ts';
import { choiceValue, textValue } from '../../framework/value-kind.ts';
import { certificate, nameOf, withAgent } from './agent.ts';

export const enrolNow = operatorCommand({
  name: 'enrol now',
  summary: 'ask the CA for a certificate now',
  about: [
    'Goes on with what is under way, and ends when the service shows the new certificate, or the CA wants to be asked again later. When it fails, the certificate in service stays; the agent tries again by itself when that certificate is due for renewal, or was not issued by the CA.',
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
