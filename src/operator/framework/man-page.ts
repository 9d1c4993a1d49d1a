import type { Command, Program } from './command.ts';
import { optionAbout, optionPart, statusRows, type UsagePart, usageParts, wrap } from './usage.ts';

/** The manual page of section 1 in the man(7) macros that groff and mandoc both know. */
export function manPage(program: Program<never>, date: string): string {
  const { name, version, summary, about, groups, options, environment, files } = program;
  return [
    `.TH ${name.toUpperCase()} 1 ${date} "${name} ${version}" "User Commands"`,
    '.SH NAME',
    `${escaped(name)} \\- ${roff(summary)}`,
    '.SH SYNOPSIS',
    `.B ${escaped(name)}`,
    '.I COMMAND',
    '.RI [ ARGUMENT ...]',
    '.RI [ OPTION ...]',
    '.SH DESCRIPTION',
    ...about.flatMap((text, at) => [...(at === 0 ? [] : ['.PP']), roff(text)]),
    '.SH OPTIONS',
    'Options of every command may stand before or after its name.',
    ...optionLines(options),
    '.SH COMMANDS',
    ...groups.flatMap((group) => [
      `.SS ${roff(group.title)}`,
      ...group.commands.flatMap((command) => commandLines(program, command)),
    ]),
    ...terms('EXIT STATUS', statusRows()),
    ...terms('ENVIRONMENT', Object.entries(environment)),
    ...terms('FILES', Object.entries(files)),
    '.SH SEE ALSO',
    '.BR busctl (1),',
    '.BR openssl (1)',
    '',
  ].join('\n');
}

function commandLines(program: Program<never>, command: Command<never>): readonly string[] {
  const { arguments: args, options, summary, about = [], examples, statuses } = command;
  const usage = usageParts(command).map(roffPart).join(' ');
  const label = [`\\fB${escaped(`${program.name} ${command.name}`)}\\fR`, usage].join(' ').trim();
  const argumentLines = Object.values(args).flatMap(({ kind, about: text }) => [
    '.TP',
    `\\fI${escaped(kind.placeholder)}\\fR`,
    roff(text),
  ]);
  const details = [
    ...argumentLines,
    ...optionLines(options),
    ...(statuses ? statusRows(command) : []).flatMap(([status, text]) => [
      '.TP',
      `exit status ${status}`,
      roff(text),
    ]),
    ...examples.flatMap(({ command: line, about: text }) => [
      '.TP',
      `\\fB$ ${escaped(`${program.name} ${line}`)}\\fR`,
      roff(text),
    ]),
  ];
  return [
    '.TP',
    label,
    `${roff(summary.slice(0, 1).toUpperCase() + summary.slice(1))}.`,
    ...about.flatMap((text) => ['.IP', roff(text)]),
    ...(details.length === 0 ? [] : ['.RS', ...details, '.RE']),
  ];
}

function optionLines(options: Program<never>['options']): readonly string[] {
  return Object.entries(options).flatMap(([name, option]) => {
    const short = option.short === undefined ? '' : `\\fB\\-${option.short}\\fR, `;
    const part = { ...optionPart(name, option), isOptional: false, isRepeated: false };
    return ['.TP', `${short}${roffPart(part)}`, roff(optionAbout(option))];
  });
}

function roffPart({ literal, placeholder, isOptional, isRepeated }: UsagePart): string {
  const words = [
    ...(literal === '' ? [] : [`\\fB${escaped(literal)}\\fR`]),
    ...(placeholder === undefined ? [] : [`\\fI${escaped(placeholder)}\\fR`]),
  ].join(' ');
  return `${isOptional ? `[${words}]` : words}${isRepeated ? ' ...' : ''}`;
}

function terms(title: string, rows: readonly (readonly [string, string])[]): readonly string[] {
  return [
    `.SH ${title}`,
    ...rows.flatMap(([name, about]) => ['.TP', `\\fB${escaped(name)}\\fR`, roff(about)]),
  ];
}

/** Text of a declaration, with its code in bold; each sentence begins a line, as roff wants it. */
function roff(markdown: string): string {
  return markdown
    .split('`')
    .map((text, at) => (at % 2 === 0 ? escaped(text) : `\\fB${escaped(text)}\\fR`))
    .join('')
    .split(/(?<=[.:;]) (?=[A-Z\\])/)
    .map((sentence) => wrap(sentence, 78))
    .join('\n')
    .replace(/^(?=[.'])/gm, '\\&');
}

function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('…', '...')
    .replaceAll('§', '\\(sc')
    .replaceAll('"', '\\(dq')
    .replaceAll('~', '\\(ti');
}
