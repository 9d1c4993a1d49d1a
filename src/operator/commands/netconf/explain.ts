import { operatorCommand } from '../../context.ts';
import { fileValue } from '../../framework/value-kind.ts';
import { readBytes } from '../../material.ts';
import { withService } from './program.ts';

export const netconfExplain = operatorCommand({
  name: 'netconf explain',
  summary: 'tell what a login with a certificate would come to, without a login',
  about: [
    'The file has the certificates that the client would show in PEM, its own first and the intermediate ones behind it. Only a handshake shows whether the client has the key, and whether names keep to name constraints of CAs.',
  ],
  arguments: { file: { kind: fileValue, about: 'a file of certificates' } },
  fields: {
    outcome: { type: 'text', title: 'Outcome', about: '`let in`, or the code of the refusal' },
    reason: { type: 'text', title: 'Reason', optional: true, about: 'the refusal in words' },
    user: { type: 'text', title: 'User', optional: true, about: 'the name that was found' },
    role: { type: 'text', title: 'Role', optional: true, about: 'of the user' },
    chain: {
      type: 'texts',
      title: 'Chain',
      about: 'subject and fingerprint of each certificate up to the root',
    },
    considered: { type: 'texts', title: 'Considered', about: 'every entry, and what came of it' },
    entries: {
      type: 'rows',
      about: 'the same in full',
      fields: {
        entry: { type: 'text', title: 'Entry', about: 'its position, or `default`' },
        mapType: { type: 'text', title: 'Map type', about: 'how it finds a name' },
        matches: {
          type: 'text',
          title: 'Matches',
          about:
            'the certificate of the chain that it matches, `any` for the default; empty for none',
        },
        result: { type: 'text', title: 'Finds', about: 'the name, or why there is none' },
      },
    },
  },
  examples: [{ command: 'netconf explain client-chain.pem', about: 'Which entry counts, and why' }],
  run: ({ args, context }) =>
    withService(context, 'netconf explain', async (service) => {
      const pem = readBytes(args.file).toString('latin1');
      const { refusal, reason, user, role, chain, entries } = await service.explain(pem);
      const orNull = (text: string) => (text === '' ? null : text);
      return {
        data: {
          outcome: refusal === '' ? 'let in' : refusal,
          ...{ reason: orNull(reason), user: orNull(user), role: orNull(role), chain, entries },
          considered: entries.map(({ entry, mapType, matches, result }) =>
            matches === ''
              ? `${entry} ${mapType}: does not match`
              : `${entry} ${mapType}: matches ${matches}, finds ${result}`,
          ),
        },
      };
    }),
});
