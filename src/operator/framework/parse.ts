import { parseArgs } from 'node:util';
import { type Command, commandsOf, type Options, type Program } from './command.ts';
import { CommandError } from './exit-status.ts';

/** Arguments and options by their names. */
export interface Values {
  readonly args: Readonly<Record<string, unknown>>;
  readonly options: Readonly<Record<string, unknown>>;
}

/** What is asked for: a command with its words, or a text about the program or some of its commands. */
export type Request<C> =
  | { readonly kind: 'run'; readonly command: Command<C>; readonly words: readonly string[] }
  | { readonly kind: 'help'; readonly commands: readonly Command<C>[] }
  | { readonly kind: 'version' };

/** Options of every command may stand before its name, too. @throws CommandError `usage` */
export function findRequest<C>(program: Program<C>, words: readonly string[]): Request<C> {
  const { before, rest } = splitBeforeCommand(program.options, words);
  const help = rest[0] === 'help';
  const named = help ? rest.slice(1) : rest;
  const { commands, others } = findCommands(program, named);
  const all = [...before, ...others];
  const flags = all.includes('--') ? all.slice(0, all.indexOf('--')) : all;
  if (help || flags.includes('--help') || flags.includes('-h')) {
    if (named.length > 0 && commands.length === 0) throw unknownCommand(program, named);
    return { kind: 'help', commands };
  }
  if (flags.includes('--version')) return { kind: 'version' };
  const [command, another] = commands;
  if (rest.length === 0) return { kind: 'help', commands };
  if (!command || another) throw unknownCommand(program, rest);
  return { kind: 'run', command, words: all };
}

/** The options in front of the command, with their values. */
function splitBeforeCommand(options: Options, words: readonly string[]) {
  let at = 0;
  while (at < words.length && words[at]?.startsWith('-')) {
    const option = options[words[at]?.slice(2) ?? ''];
    at += option?.kind ? 2 : 1;
  }
  return { before: words.slice(0, at), rest: words.slice(at) };
}

/** The command that the first words name, or all of a group; all of them where there is no word. */
function findCommands<C>(program: Program<C>, words: readonly string[]) {
  const all = commandsOf(program);
  const [first = '', second = ''] = words;
  const exact = all.find(({ name }) => name === `${first} ${second}`);
  if (exact) return { commands: [exact], others: words.slice(2) };
  const single = all.find(({ name }) => name === first);
  if (single) return { commands: [single], others: words.slice(1) };
  const group = all.filter(({ name }) => name.startsWith(`${first} `));
  const isGroup = second === '' || second.startsWith('-');
  return { commands: isGroup ? group : [], others: words.slice(1) };
}

function unknownCommand<C>(program: Program<C>, words: readonly string[]): CommandError {
  const [first = '', second] = words;
  const inGroup = commandsOf(program).filter(({ name }) => name.startsWith(`${first} `));
  if (inGroup.length === 0) {
    return new CommandError('usage', `There is no command ${first}; see ${program.name} --help.`);
  }
  const choices = inGroup.map((one) => one.name).join(', ');
  const fault =
    second === undefined ? `${first} is not complete` : `There is no ${first} ${second}`;
  return new CommandError('usage', `${fault}; the commands are ${choices}.`);
}

/** @throws CommandError `usage` */
export function readValues<C>(
  program: Program<C>,
  command: Command<C>,
  words: readonly string[],
): Values {
  const declared = { ...program.options, ...command.options };
  const seeHelp = `see ${program.name} ${command.name} --help`;
  const { values, positionals } = split(declared, words, seeHelp);
  const options = Object.fromEntries(
    Object.entries(declared).map(([name, option]) => {
      const parse = (text: unknown) => inContext(`--${name}`, () => option.kind?.parse(`${text}`));
      const value = values[name] ?? (option.multiple ? [] : option.default);
      if (value === undefined && option.required)
        throw new CommandError('usage', `--${name} is missing; ${seeHelp}.`);
      if (!option.kind) return [name, value === true];
      if (Array.isArray(value)) return [name, value.map(parse)];
      return [name, value === undefined ? undefined : parse(value)];
    }),
  );
  return { options, args: readArguments(command, positionals, seeHelp) };
}

function readArguments<C>(command: Command<C>, words: readonly string[], seeHelp: string) {
  const entries = Object.entries(command.arguments);
  const isOpen = entries.some(([, { multiple }]) => multiple);
  const surplus = words[entries.length];
  if (!isOpen && surplus !== undefined)
    throw new CommandError(
      'usage',
      `${JSON.stringify(surplus)} is one argument too many; ${seeHelp}.`,
    );
  return Object.fromEntries(
    entries.map(([name, { kind, optional, multiple }], at) => {
      const own = multiple ? words.slice(at) : words.slice(at, at + 1);
      if (own.length === 0 && !optional)
        throw new CommandError('usage', `${kind.placeholder} is missing; ${seeHelp}.`);
      const values = own.map((word) => kind.parse(word));
      return [name, multiple ? values : values[0]];
    }),
  );
}

function split(options: Options, words: readonly string[], seeHelp: string) {
  const known = Object.fromEntries(
    Object.entries(options).map(([name, { kind, short, multiple = false }]) => {
      const type: 'string' | 'boolean' = kind ? 'string' : 'boolean';
      return [name, { type, multiple, ...(short !== undefined && { short }) }];
    }),
  );
  try {
    return parseArgs({ args: [...words], options: known, allowPositionals: true });
  } catch (cause) {
    // Advice on further lines and sentences is about forms that no option here needs
    const [reason = ''] = cause instanceof Error ? cause.message.split(/\.\s|\n|\.$/) : [];
    throw new CommandError('usage', `The command line is not valid: ${reason}; ${seeHelp}.`, {
      cause,
    });
  }
}

function inContext<T>(place: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof CommandError)) throw cause;
    throw new CommandError(cause.kind, `${place}: ${cause.message}`, { cause });
  }
}
