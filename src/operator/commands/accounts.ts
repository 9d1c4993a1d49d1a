import { readConfiguration } from '../../platform/configuration.ts';
import { operatorCommand, refuseRemote } from '../context.ts';
import { fileValue } from '../framework/value-kind.ts';
import { readPassword } from '../password-file.ts';
import { setPassword } from '../set-password.ts';
import { defaultConfiguration } from '../targets.ts';

export const setPasswordCommand = operatorCommand({
  name: 'set-password',
  summary: 'set the password of admin, an administrator from then on',
  about: [
    'Works whether or not the account manager runs, also when every password is lost. The password counts at once at all edges.',
  ],
  options: {
    config: {
      kind: fileValue,
      default: defaultConfiguration,
      about: 'the configuration of the service',
    },
    'password-file': {
      kind: fileValue,
      required: true,
      about: 'a file with the new password; `-` for standard input',
    },
  },
  fields: { account: { type: 'text', title: 'Account', about: 'name of the account' } },
  examples: [
    {
      command: 'set-password --password-file -',
      about: 'Type the password',
    },
  ],
  async run({ options, context }) {
    refuseRemote(context, 'set-password');
    const password = await readPassword(options['password-file']);
    const account = await setPassword(readConfiguration(options.config), password);
    return {
      data: { account },
      text: `The account ${account} is an enabled administrator with the new password.\n`,
    };
  },
});
