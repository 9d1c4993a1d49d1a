import { type Argument, type Command, commandsOf, type Option, type Program } from './command.ts';
import { exitStatuses } from './exit-status.ts';

/** A part of a command line: words to type as they are, and what stands for a value. */
export interface UsagePart {
  readonly literal: string;
  readonly placeholder?: string;
  readonly isOptional: boolean;
  readonly isRepeated: boolean;
}

/** What may follow the name of a command. */
export function usageParts({ arguments: args, options }: Command<never>): readonly UsagePart[] {
  return [
    ...Object.values(args).map(argumentPart),
    ...Object.entries(options).map(([name, option]) => optionPart(name, option)),
  ];
}

function argumentPart({ kind: { placeholder }, optional, multiple }: Argument): UsagePart {
  return {
    literal: '',
    placeholder,
    isOptional: optional === true,
    isRepeated: multiple === true,
  };
}

export function optionPart(name: string, option: Option): UsagePart {
  const { kind, required, multiple } = option;
  return {
    literal: `--${name}`,
    ...(kind && { placeholder: kind.placeholder }),
    isOptional: required !== true,
    isRepeated: multiple === true,
  };
}

export function plainUsage(program: Program<never>, command: Command<never>): string {
  const parts = usageParts(command).map((part) => {
    const text = plainPart(part);
    return `${part.isOptional ? `[${text}]` : text}${part.isRepeated ? '…' : ''}`;
  });
  return [program.name, command.name, ...parts].join(' ');
}

function plainPart({ literal, placeholder = '' }: UsagePart): string {
  return `${literal} ${placeholder}`.trim();
}

/** `-h, --help`, `--bus ADDRESS` */
export function optionTitle(name: string, option: Option): string {
  const short = option.short === undefined ? '' : `-${option.short}, `;
  return `${short}${plainPart(optionPart(name, option))}`;
}

/** What is to be said of an option beside its meaning. */
export function optionAbout({ about, default: value, multiple }: Option): string {
  const extra = [
    ...(multiple ? ['may be given several times'] : []),
    ...(value === undefined ? [] : [`default: ${value}`]),
  ];
  return extra.length === 0 ? about : `${about} (${extra.join('; ')})`;
}

/** Statuses with their meaning, of a command or of all of them. */
export function statusRows(command?: Command<never>): readonly (readonly [string, string])[] {
  if (command?.statuses) return Object.entries(command.statuses);
  return Object.values(exitStatuses).map(({ status, about }) => [String(status), about] as const);
}

/** What `--help` prints: of one command, of a group, or of the program. */
export function helpText(program: Program<never>, commands: readonly Command<never>[]): string {
  const [command, another] = commands;
  if (command && !another) return commandHelp(program, command);
  return programHelp(program, commands);
}

function commandHelp(program: Program<never>, command: Command<never>): string {
  const { arguments: args, options, examples, about = [] } = command;
  const argumentRows = Object.values(args).map((one) => [one.kind.placeholder, one.about] as const);
  // An option stays on a line with its value
  const parts = plainUsage(program, command).replace(/(--\S+) (?=[A-Z])/g, '$1\u00a0');
  const usage = wrap(parts, 80).replaceAll('\u00a0', ' ').replaceAll('\n', '\n         ');
  return [
    `Usage: ${usage}\n`,
    `${sentence(command.summary)}\n`,
    ...about.map((text) => `${wrap(plain(text), 92)}\n`),
    section('Arguments', argumentRows),
    section('Options', optionRows(options)),
    section('Options of every command', optionRows(program.options)),
    section(
      'Examples',
      examples.map((example) => [`${program.name} ${example.command}`, example.about] as const),
    ),
    command.statuses ? section('Exit status', statusRows(command)) : '',
  ]
    .filter((text) => text !== '')
    .join('\n');
}

function programHelp(program: Program<never>, commands: readonly Command<never>[]): string {
  const isPart = commands.length > 0 && commands.length < commandsOf(program).length;
  const groups = program.groups.map(({ title, commands: own }) => {
    const shown = isPart ? own.filter((one) => commands.includes(one)) : own;
    return section(
      title,
      shown.map(({ name, summary }) => [name, summary] as const),
    );
  });
  return [
    `Usage: ${program.name} COMMAND [ARGUMENT…] [OPTION…]\n`,
    `${sentence(program.summary)}\n`,
    ...groups,
    section('Options of every command', optionRows(program.options)),
    section('Environment', Object.entries(program.environment)),
    isPart ? '' : section('Exit status', statusRows()),
    `${program.name} COMMAND --help tells more of a command.\n`,
  ]
    .filter((text) => text !== '')
    .join('\n');
}

function optionRows(options: Program<never>['options']) {
  return Object.entries(options).map(
    ([name, option]) => [optionTitle(name, option), optionAbout(option)] as const,
  );
}

const indent = 26;

function section(title: string, rows: readonly (readonly [string, string])[]): string {
  if (rows.length === 0) return '';
  const lines = rows.map(([name, about]) => {
    const text = wrap(plain(about), 92 - indent).replaceAll('\n', `\n${' '.repeat(indent)}`);
    const head = `  ${name}`;
    return head.length < indent - 1
      ? `${head.padEnd(indent)}${text}\n`
      : `${head}\n${' '.repeat(indent)}${text}\n`;
  });
  return `${title}:\n${lines.join('')}`;
}

/** Texts of declarations are Markdown with nothing but code in it. */
function plain(markdown: string): string {
  return markdown.replaceAll('`', '');
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}

export function wrap(text: string, width: number): string {
  return text.replace(new RegExp(`(.{1,${width}})(?: |$)`, 'g'), '$1\n').trimEnd();
}
