import type { Command, Program } from './command.ts';
import type { Fields } from './fields.ts';
import { optionAbout, optionTitle, plainUsage, statusRows } from './usage.ts';

/** The reference in Markdown: what `--help` says of every command, and the members of its JSON. */
export function referencePage(program: Program<never>): string {
  const { name, about, groups, options, environment, files } = program;
  return `# ${name}

${about.join('\n\n')}

| command | |
| --- | --- |
${groups.flatMap(({ commands }) => commands.map(overviewRow)).join('\n')}

## Options of every command

${table(['option', 'meaning'], optionRows(options))}

## Exit status

${table(['status', 'meaning'], statusRows())}

## Environment

${table(['variable', 'meaning'], codeRows(environment))}

## Files

${table(['file', 'meaning'], codeRows(files))}

${groups
  .map(
    ({ title, commands }) =>
      `## ${title}\n\n${commands.map((command) => commandSection(program, command)).join('\n')}`,
  )
  .join('\n')}`;
}

function overviewRow({ name, summary }: Command<never>): string {
  return `| [\`${name}\`](#${name.replaceAll(' ', '-')}) | ${cell(summary)} |`;
}

function commandSection(program: Program<never>, command: Command<never>): string {
  const { name, summary, about = [], arguments: args, options, fields, examples } = command;
  const form = command.answersList ? 'a list of objects' : 'an object';
  const argumentRows = Object.values(args).map(({ kind, about: text }) => [
    `\`${kind.placeholder}\``,
    text,
  ]);
  const examplesText = examples
    .map(({ command: line, about: text }) => `    # ${text}\n    ${program.name} ${line}\n`)
    .join('\n');
  return [
    `### ${name}\n\n    ${plainUsage(program, command)}\n`,
    `${summary.slice(0, 1).toUpperCase()}${summary.slice(1)}.\n`,
    ...about.map((text) => `${text}\n`),
    optional('', ['argument', 'meaning'], argumentRows),
    optional('', ['option', 'meaning'], optionRows(options)),
    optional('', ['status', 'meaning'], command.statuses ? statusRows(command) : []),
    optional(`\`--json\`, ${form}:`, ['member', 'form', 'meaning'], fieldRows('', fields)),
    examplesText,
  ]
    .filter((text) => text !== '')
    .join('\n');
}

function optional(
  head: string,
  titles: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  if (rows.length === 0) return '';
  return `${head === '' ? '' : `${head}\n\n`}${table(titles, rows)}\n`;
}

function fieldRows(prefix: string, fields: Fields): string[][] {
  const forms = { text: 'text', number: 'number', flag: 'true or false', texts: 'list of texts' };
  return Object.entries(fields).flatMap(([name, field]) => {
    const form = { ...forms, time: 'ISO 8601', rows: 'list of objects' }[field.type];
    const row = [`\`${prefix}${name}\``, `${form}${field.optional ? ' or null' : ''}`, field.about];
    return [row, ...fieldRows(`${prefix}${name}[].`, field.fields ?? {})];
  });
}

function optionRows(options: Program<never>['options']): string[][] {
  return Object.entries(options).map(([name, option]) => [
    `\`${optionTitle(name, option)}\``,
    optionAbout(option),
  ]);
}

function codeRows(texts: Readonly<Record<string, string>>): string[][] {
  return Object.entries(texts).map(([name, about]) => [`\`${name}\``, about]);
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [titles, titles.map(() => '---'), ...rows.map((row) => row.map(cell))];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
