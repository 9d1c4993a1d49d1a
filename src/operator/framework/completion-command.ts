import type { Command, Program } from './command.ts';
import { completionScript, shells } from './completion.ts';
import { choiceValue } from './value-kind.ts';

/** @param program of which the command is a part */
export function completionCommand<C>(name: string, program: () => Program<C>): Command<C> {
  const shell = choiceValue('SHELL', shells);
  return {
    name: 'completion',
    summary: 'print a script that completes commands in a shell',
    arguments: { shell: { kind: shell, about: shells.join(' or ') } },
    options: {},
    fields: { script: { type: 'text', about: 'the script' } },
    examples: [
      { command: 'completion bash', about: 'The script' },
      {
        command: `completion bash > ~/.local/share/bash-completion/completions/${name}`,
        about: 'For this user',
      },
    ],
    async run({ args }) {
      const script = completionScript(program(), shell.parse(String(args.shell)));
      return { data: { script }, text: script };
    },
  };
}
