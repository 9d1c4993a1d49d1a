import type { ExitKind } from './exit-status.ts';
import type { AnyRow, Fields, Row } from './fields.ts';
import type { ValueKind } from './value-kind.ts';

/** A word of the command line by its place. */
export interface Argument {
  readonly kind: ValueKind<unknown>;
  readonly about: string;
  /** It may be left out; those behind it, too. */
  readonly optional?: true;
  /** It takes all the words that are left. */
  readonly multiple?: true;
}

export interface Option {
  /** Without a kind the option takes no value. */
  readonly kind?: ValueKind<unknown>;
  readonly about: string;
  readonly short?: string;
  readonly multiple?: true;
  readonly required?: true;
  /** As it would be typed. */
  readonly default?: string;
}

export type Arguments = Readonly<Record<string, Argument>>;
export type Options = Readonly<Record<string, Option>>;

type KindOf<P> = P extends { readonly kind: ValueKind<infer T> } ? T : boolean;

type ArgumentValue<A> = A extends { readonly multiple: true }
  ? readonly KindOf<A>[]
  : A extends { readonly optional: true }
    ? KindOf<A> | undefined
    : KindOf<A>;

type OptionValue<O> = O extends { readonly multiple: true }
  ? readonly KindOf<O>[]
  : O extends { readonly kind: unknown }
    ? O extends { readonly required: true } | { readonly default: string }
      ? KindOf<O>
      : KindOf<O> | undefined
    : boolean;

export type ArgumentValues<A extends Arguments> = { readonly [K in keyof A]: ArgumentValue<A[K]> };
export type OptionValues<O extends Options> = { readonly [K in keyof O]: OptionValue<O[K]> };

export interface Example {
  /** Behind the name of the program. */
  readonly command: string;
  readonly about: string;
}

/** What a command has done, for people and for programs. */
export interface Answer<R = AnyRow> {
  /** A table, or one record; what `--json` prints. Absent when every row was printed at once. */
  readonly data?: R | readonly R[];
  /** What people read in place of the fields. */
  readonly text?: string;
  /** Warnings, on standard error. */
  readonly notes?: readonly string[];
  /** How it ended, `done` unless given, or the number of a status of its own. */
  readonly status?: ExitKind | number;
}

/** A command as data, from which parsing, help, completion, the man page and the reference page follow. */
export interface Command<C> {
  /** One word, or two where the first is that of a group. */
  readonly name: string;
  /** In the imperative, without a full stop. */
  readonly summary: string;
  /** Paragraphs. */
  readonly about?: readonly string[];
  readonly arguments: Arguments;
  readonly options: Options;
  /** Members of what `--json` prints, for an answer or for each of its rows. */
  readonly fields: Fields;
  /** Its answer is a list of rows, also of one or none. */
  readonly answersList?: true;
  /** How several rows look: a line for each, unless given, or a block for each. */
  readonly layout?: 'table' | 'records';
  readonly examples: readonly Example[];
  /** Statuses that it has in place of those of all commands, where a convention of others demands it. */
  readonly statuses?: Readonly<Record<number, string>>;
  /** Where statuses are its own: what an error ends with, and begins its line with, on standard output. */
  readonly onError?: { readonly status: number; readonly prefix: string };
  run(input: CommandInput<C>): Promise<Answer>;
}

interface CommandInput<C, A = Readonly<Record<string, unknown>>, O = A, R = AnyRow> {
  readonly args: A;
  readonly options: O;
  readonly context: C;
  /** Prints a row at once, for a command that goes on. */
  readonly emit: (row: R, text: string) => void;
}

type Declared<C, A extends Arguments, O extends Options, F extends Fields> = Omit<
  Command<C>,
  'arguments' | 'options' | 'fields' | 'run'
> & {
  readonly arguments?: A;
  readonly options?: O;
  readonly fields: F;
  run(input: CommandInput<C, ArgumentValues<A>, OptionValues<O>, Row<F>>): Promise<Answer<Row<F>>>;
};

/** Declares a command; the types of what its `run` gets and answers follow from the declaration. */
export function command<C>() {
  return <
    const A extends Arguments = Readonly<Record<never, never>>,
    const O extends Options = Readonly<Record<never, never>>,
    const F extends Fields = Readonly<Record<never, never>>,
  >(
    declared: Declared<C, A, O, F>,
  ): Command<C> => {
    // The public signature has checked `run` against the declaration; values come from it from here on
    type Run = Command<C>['run'];
    const run = declared.run as unknown as Run;
    return { arguments: {}, options: {}, ...declared, run };
  };
}

/** Commands that belong together, under a title. */
export interface CommandGroup<C> {
  readonly title: string;
  readonly commands: readonly Command<C>[];
}

/** A program of several commands. */
export interface Program<C> {
  readonly name: string;
  readonly version: string;
  readonly summary: string;
  readonly about: readonly string[];
  readonly groups: readonly CommandGroup<C>[];
  /** Options of every command. */
  readonly options: Options;
  /** Environment variables by name. */
  readonly environment: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
}

export function commandsOf<C>({ groups }: Program<C>): readonly Command<C>[] {
  return groups.flatMap(({ commands }) => commands);
}
