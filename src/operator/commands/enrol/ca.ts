import type { Told } from '../../../dbus/enrolment/enrolment-interface.ts';
import { operatorCommand } from '../../context.ts';
import { CommandError } from '../../framework/exit-status.ts';
import { textValue } from '../../framework/value-kind.ts';
import { listed, quietOption } from '../../names.ts';
import { choice, textOf, withAgent } from './agent.ts';

export const enrolCa = operatorCommand({
  name: 'enrol ca',
  summary: 'show a CA profile',
  arguments: {
    ca: {
      kind: { ...textValue('CA'), completion: { ask: 'enrol ca --quiet' } },
      about: 'its name in `enrolment.authorities`; all unless given',
      optional: true,
    },
  },
  options: quietOption,
  answersList: true,
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
  async run({ args, options, context }) {
    return withAgent(context, 'enrol ca', async (agent) => {
      const profiles = await agent.authorities();
      const all = Object.entries(profiles).filter(
        ([name]) => args.ca === undefined || args.ca === name,
      );
      if (all.length === 0 && args.ca !== undefined) {
        const next = choice(Object.keys(profiles), 'CA profile', 'enrolment.authorities');
        throw new CommandError('not-found', `There is no CA profile ${args.ca}; ${next}.`);
      }
      const data = all.map(([name, entry]) => authorityRow(name, entry));
      return listed(data, options.quiet, ({ name }) => name);
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
