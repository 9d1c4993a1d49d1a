import { CommandError } from './exit-status.ts';

/** What an argument or the value of an option may be. */
export interface ValueKind<T> {
  /** Stands for the value in usage lines, in capitals. */
  readonly placeholder: string;
  /** @throws CommandError `usage` with a sentence that says what is expected */
  readonly parse: (text: string) => T;
  /** What a shell offers to complete it with: files, a list of words, or what the program says that there is. */
  readonly completion?: Completion;
}

export type Completion = 'files' | readonly string[] | Asked;

interface Asked {
  /** Words of a command line of the program itself, which prints a name on each line. */
  readonly ask: string;
  /** What of them is offered: a script for `sed -nE`. */
  readonly keep?: string;
  /** Files are offered where no name fits. */
  readonly files?: true;
}

export const textValue = (placeholder = 'TEXT'): ValueKind<string> => ({
  placeholder,
  parse: (text) => text,
});

export const fileValue: ValueKind<string> = {
  placeholder: 'FILE',
  parse: (text) => {
    if (text !== '') return text;
    throw new CommandError('usage', 'The name of a file is empty.');
  },
  completion: 'files',
};

export const directoryValue: ValueKind<string> = { ...fileValue, placeholder: 'DIRECTORY' };

export function integerValue(placeholder: string, min: number, max: number): ValueKind<number> {
  return {
    placeholder,
    parse(text) {
      const value = Number(text);
      if (/^\d{1,15}$/.test(text) && value >= min && value <= max) return value;
      throw new CommandError(
        'usage',
        `${placeholder} is a whole number from ${min} to ${max}, not ${JSON.stringify(text)}.`,
      );
    },
  };
}

export function choiceValue<const T extends string>(
  placeholder: string,
  choices: readonly T[],
): ValueKind<T> {
  return {
    placeholder,
    parse(text) {
      const found = choices.find((choice) => choice === text);
      if (found !== undefined) return found;
      throw new CommandError(
        'usage',
        `${placeholder} is ${choices.join(', ')}, not ${JSON.stringify(text)}.`,
      );
    },
    completion: choices,
  };
}

/** Several of the choices, separated by commas. */
export function choicesValue<const T extends string>(
  placeholder: string,
  choices: readonly T[],
): ValueKind<readonly T[]> {
  const one = choiceValue(placeholder, choices);
  return { ...one, parse: (text) => [...new Set(text.split(',').map(one.parse))] };
}
