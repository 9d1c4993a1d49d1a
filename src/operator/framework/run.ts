import type { Answer, Command, Program } from './command.ts';
import { type CommandError, exitStatuses } from './exit-status.ts';
import { type AnyRow, jsonText, recordText, tableText, visible } from './fields.ts';
import { findRequest, readValues } from './parse.ts';
import { helpText } from './usage.ts';

/** Where a command prints to. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Whether a person looks at the output and wants colours. */
  readonly isColoured: boolean;
}

export interface RunOptions<C> {
  readonly program: Program<C>;
  readonly terminal: Terminal;
  /** What the commands need of the world, by the options of every command. */
  readonly makeContext: (
    options: Readonly<Record<string, unknown>>,
  ) => C & { close(): Promise<void> };
  /** Of any error that a command throws. */
  readonly describeError: (error: unknown) => CommandError;
}

/** Runs a command line to its end. @returns the exit status */
export async function runProgram<C>(
  options: RunOptions<C>,
  words: readonly string[],
): Promise<number> {
  const { program, terminal, describeError } = options;
  const isJson = words.includes('--json');
  let command: Command<C> | undefined;
  try {
    const request = findRequest(program, words);
    if (request.kind === 'help') terminal.out(helpText(program, request.commands));
    if (request.kind === 'version') terminal.out(`${program.name} ${program.version}\n`);
    if (request.kind !== 'run') return 0;
    command = request.command;
    return await runCommand(options, request.command, request.words);
  } catch (error) {
    return reportError(terminal, describeError(error), isJson, command);
  }
}

async function runCommand<C>(
  { program, terminal, makeContext }: RunOptions<C>,
  command: Command<C>,
  words: readonly string[],
): Promise<number> {
  const { args, options } = readValues(program, command, words);
  const isJson = options.json === true;
  const context = makeContext(options);
  const emit = (row: AnyRow, text: string) =>
    terminal.out(isJson ? jsonText(row) : `${visible(text)}\n`);
  try {
    const answer = await command.run({ args, options, context, emit });
    terminal.out(isJson ? jsonOf(answer) : textOf(command, answer, terminal));
    for (const note of answer.notes ?? []) terminal.err(`${visible(note)}\n`);
    const { status = 'done' } = answer;
    return typeof status === 'number' ? status : exitStatuses[status].status;
  } finally {
    await context.close();
  }
}

function jsonOf({ data }: Answer): string {
  return data === undefined ? '' : jsonText(data, 2);
}

function textOf<C>(
  { fields, layout }: Command<C>,
  { text, data }: Answer,
  { isColoured }: Terminal,
): string {
  if (text !== undefined || data === undefined) return text ?? '';
  if (!isList(data)) return recordText(fields, data, isColoured);
  if (layout !== 'records') return tableText(fields, data, isColoured);
  return data.map((row) => recordText(fields, row, isColoured)).join('\n');
}

function isList(data: AnyRow | readonly AnyRow[]): data is readonly AnyRow[] {
  return Array.isArray(data);
}

function reportError<C>(
  { out, err }: Terminal,
  { kind, message }: CommandError,
  isJson: boolean,
  command: Command<C> | undefined,
): number {
  const status = command?.onError?.status ?? exitStatuses[kind].status;
  if (isJson) err(jsonText({ error: kind, status, message }));
  else if (command?.onError) out(`${command.onError.prefix}${visible(message)}\n`);
  else err(`${visible(message)}\n`);
  return status;
}
