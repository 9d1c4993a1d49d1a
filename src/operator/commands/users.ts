import { CertError } from '../../core/cert-error.ts';
import { type RoleId, roles } from '../../identity/roles.ts';
import { type OperatorContext, operatorCommand } from '../context.ts';
import { CommandError } from '../framework/exit-status.ts';
import { visible } from '../framework/fields.ts';
import { choiceValue, fileValue, textValue } from '../framework/value-kind.ts';
import { listed, quietOption } from '../names.ts';
import { readPassword } from '../password-file.ts';
import type { Accounts } from '../road.ts';

const newName = { kind: textValue('NAME'), about: 'name of the account; case matters' } as const;
const name = {
  ...newName,
  kind: { ...newName.kind, completion: { ask: 'user list --quiet' } },
} as const;
const roleValue = choiceValue('ROLE', Object.keys(roles) as RoleId[]);
const accountField = { type: 'text', title: 'Account', about: 'name of the account' } as const;

async function withAccounts<T>(
  context: OperatorContext,
  work: (accounts: Accounts) => Promise<T>,
): Promise<T> {
  const accounts = await context.accounts();
  try {
    return await work(accounts);
  } catch (error) {
    const isAway = error instanceof CertError && error.code === 'unavailable';
    if (context.isRemote || !isAway) throw error;
    const message =
      'unavailable: there is no account manager on the bus; look at systemctl status bmc-account-manager. Where /users/source of the configuration is bus, the users are those of the system.';
    throw new CommandError('unavailable', message, { cause: error });
  }
}

export const userList = operatorCommand({
  name: 'user list',
  summary: 'show the accounts',
  options: quietOption,
  answersList: true,
  fields: {
    account: accountField,
    role: { type: 'text', title: 'Role', about: Object.keys(roles).join(', ') },
    enabled: { type: 'flag', title: 'Enabled', about: 'whether the account may log in' },
    locked: { type: 'flag', title: 'Locked', about: 'whether an address is locked out of it' },
    passwordChangeRequired: {
      type: 'flag',
      title: 'Must change',
      about: 'whether the account may do nothing but change its password',
    },
  },
  examples: [{ command: 'user list', about: 'All accounts' }],
  run: ({ options, context }) =>
    withAccounts(context, async (accounts) => {
      const data = (await accounts.list()).map(
        ({ userName, role, enabled, locked, passwordChangeRequired }) => ({
          account: userName,
          ...{ role, enabled, locked, passwordChangeRequired },
        }),
      );
      return listed(data, options.quiet, ({ account }) => account);
    }),
});

export const userAdd = operatorCommand({
  name: 'user add',
  summary: 'make an account',
  arguments: { name: newName },
  options: {
    role: { kind: roleValue, about: 'what the account may do', default: 'ReadOnly' },
    'password-file': {
      kind: fileValue,
      required: true,
      about: 'a file with the password; `-` for standard input',
    },
    'must-change': { about: 'the password has to be changed at the first login' },
    disabled: { about: 'the account may not log in' },
  },
  fields: { account: accountField, role: { type: 'text', title: 'Role', about: 'as given' } },
  examples: [
    {
      command: 'user add alice --role Operator --password-file - --must-change',
      about: 'Type a first password',
    },
  ],
  async run({ args, options, context }) {
    const { role, disabled } = options;
    const password = await readPassword(options['password-file']);
    const passwordChangeRequired = options['must-change'];
    const user = { userName: args.name, password, role, passwordChangeRequired };
    await withAccounts(context, (accounts) => accounts.create({ ...user, enabled: !disabled }));
    return {
      data: { account: args.name, role },
      text: `${visible(args.name)}: made, with the role ${role}\n`,
    };
  },
});

export const userRemove = operatorCommand({
  name: 'user remove',
  summary: 'remove an account, and end its sessions',
  arguments: { name },
  fields: { account: accountField },
  examples: [{ command: 'user remove alice', about: 'The account is gone' }],
  async run({ args, context }) {
    await withAccounts(context, (accounts) => accounts.remove(args.name));
    return { data: { account: args.name }, text: `${visible(args.name)}: removed\n` };
  },
});

export const userRole = operatorCommand({
  name: 'user role',
  summary: 'give an account another role',
  arguments: { name, role: { kind: roleValue, about: Object.keys(roles).join(', ') } },
  fields: { account: accountField, role: { type: 'text', title: 'Role', about: 'the new role' } },
  examples: [{ command: 'user role alice Administrator', about: 'May do everything' }],
  async run({ args, context }) {
    const { role } = args;
    await withAccounts(context, (accounts) => accounts.update(args.name, { role }));
    return {
      data: { account: args.name, role },
      text: `${visible(args.name)}: has the role ${role}\n`,
    };
  },
});

export const userUnlock = operatorCommand({
  name: 'user unlock',
  summary: 'let an account log in again from addresses that are locked out',
  arguments: { name },
  fields: { account: accountField },
  examples: [{ command: 'user unlock admin', about: 'After too many wrong passwords' }],
  async run({ args, context }) {
    await withAccounts(context, (accounts) => accounts.update(args.name, { locked: false }));
    return { data: { account: args.name }, text: `${visible(args.name)}: unlocked\n` };
  },
});
