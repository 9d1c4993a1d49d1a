import { operatorCommand } from '../../context.ts';
import { fileValue, textValue, type ValueKind } from '../../framework/value-kind.ts';
import { readBytes } from '../../material.ts';
import { listed, quietOption } from '../../names.ts';
import { groupFields, groupRow } from './group-row.ts';
import { bundleOption, groupField, withBundle } from './program.ts';

const group = {
  kind: { ...textValue('GROUP'), completion: { ask: 'bundle groups --quiet' } },
  about: 'its name',
} as const;

const source: ValueKind<string> = {
  ...fileValue,
  placeholder: 'FILE|default',
};

export const bundleLoad = operatorCommand({
  name: 'bundle load',
  summary: 'load a group of CAs in the background',
  about: [
    'With `default` the group follows the bundle from then on: CAs that the bundle leaves out go, and CAs that were added by hand stay. With a FILE in PEM or PKCS #7 its CAs are added as if by hand.',
    'Returns at once; `bundle status` shows the outcome.',
  ],
  arguments: {
    group: { ...group, about: 'its name; it comes into being if it is not there' },
    source: { kind: source, about: 'a file, or `default` for the bundle; `./default` is a file' },
  },
  options: bundleOption,
  fields: {
    group: groupField,
    source: { type: 'text', title: 'Source', about: 'the file, or `default`' },
  },
  examples: [
    {
      command: 'bundle load default-trusted-ca-certs default',
      about: 'The group has what the bundle has',
    },
    { command: 'bundle load default-trusted-ca-certs ca.pem', about: 'And a CA beside' },
  ],
  run: ({ args, options, context }) =>
    withBundle(context, 'bundle load', options, async (bundle) => {
      if (args.source === 'default') await bundle.load(args.group);
      else await bundle.loadFile(args.group, readBytes(args.source));
      return {
        data: { group: args.group, source: args.source },
        text: `${args.group}: is being loaded\n`,
      };
    }),
});

export const bundleGroups = operatorCommand({
  name: 'bundle groups',
  summary: 'show the groups that follow the bundle',
  options: { ...bundleOption, ...quietOption },
  answersList: true,
  fields: groupFields,
  examples: [{ command: 'bundle groups', about: 'All of them' }],
  run: ({ options, context }) =>
    withBundle(context, 'bundle groups', options, async (bundle) => {
      const { Groups } = await bundle.status();
      return listed(Groups.map(groupRow), options.quiet, (row) => row.group);
    }),
});

export const bundleMembers = operatorCommand({
  name: 'bundle members',
  summary: 'show the CAs of a group, also those that the bundle left out since',
  about: [
    'A CA that the bundle had and does no longer is absent: its name stays, and its certificate is nowhere. When the bundle has it again, the name has its certificate again.',
  ],
  arguments: { group },
  options: {
    ...bundleOption,
    absent: { about: 'only names without certificates' },
  },
  answersList: true,
  fields: {
    name: { type: 'text', title: 'Name', about: 'made of its subject' },
    source: { type: 'text', title: 'Source', about: '`bundle`, or `manual` for one added by hand' },
    state: {
      type: 'text',
      title: 'State',
      about: '`present` or `absent`',
      tones: { absent: 'warning' },
    },
    sha256: { type: 'text', title: 'SHA-256', about: 'of the certificate, hexadecimal' },
  },
  examples: [
    { command: 'bundle members default-trusted-ca-certs --absent', about: 'What was taken away' },
  ],
  run: ({ args, options, context }) =>
    withBundle(context, 'bundle members', options, async (bundle) => {
      const members = await bundle.members(args.group);
      const shown = options.absent
        ? members.filter(([, , , state]) => state === 'absent')
        : members;
      return {
        data: shown.map(([name, sha256, from, state]) => ({ name, source: from, state, sha256 })),
      };
    }),
});
